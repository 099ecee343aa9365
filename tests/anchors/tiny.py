"""Tiny random models of several families, and what eager attention says about them."""

import numpy as np

from antidistill.anchors.tokens import TokenMap

SHAPE = {
    "vocab_size": 101,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
WINDOW = 40
FAMILIES = ("llama", "qwen2", "qwen3", "gemma2", "gemma3", "gpt-oss")


def tiny(family, spread=0.2, **changes):
    """A model with weights large enough for sharp attention."""
    import torch
    import transformers as hf

    windowed = {"sliding_window": WINDOW, "query_pre_attn_scalar": 8}
    classes = {
        "llama": (hf.LlamaForCausalLM, hf.LlamaConfig, {}),
        "qwen2": (hf.Qwen2ForCausalLM, hf.Qwen2Config, {}),
        "qwen3": (hf.Qwen3ForCausalLM, hf.Qwen3Config, {}),
        "gemma2": (hf.Gemma2ForCausalLM, hf.Gemma2Config, windowed),
        "gemma3": (hf.Gemma3ForCausalLM, hf.Gemma3TextConfig, windowed | {"attn_logit_softcapping": 20.0}),
        "gpt-oss": (
            hf.GptOssForCausalLM,
            hf.GptOssConfig,
            {"sliding_window": WINDOW, "num_local_experts": 4, "num_experts_per_tok": 2},
        ),
    }
    model_class, config_class, extra = classes[family]
    torch.manual_seed(0)
    model = model_class(config_class(**SHAPE | extra | changes, attn_implementation="eager")).eval()
    model.generation_config.output_attentions = False
    for parameter in model.parameters():
        if parameter.dim() > 1 or family == "gpt-oss":
            torch.nn.init.normal_(parameter, std=spread)
    return model


def sentences_of(count=30, seed=0, before=9, after=7):
    """Random tokens: a prompt, sentences of 1 to 11 tokens, an end that belongs to none."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, count)
    ends = before + np.cumsum(sizes)
    return TokenMap(rng.integers(3, 100, ends[-1] + after), ends - sizes, ends)


def eager_attention(model, tokens):
    """All attention weights in double precision, shape (layers x heads, tokens, tokens)."""
    import torch

    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        layers = model(torch.from_numpy(tokens.ids)[None], output_attentions=True, use_cache=False).attentions
    model.set_attn_implementation(before)
    return np.concatenate([layer[0].double().numpy() for layer in layers])


def sentence_means(weights, tokens):
    """Mean weight over all token pairs of two sentences, by plain loops; shape (heads, sentences, sentences)."""
    spans = list(zip(tokens.starts, tokens.ends, strict=True))
    return np.array([[[head[a:b, c:d].mean() for c, d in spans] for a, b in spans] for head in weights])


def vertical(means, gap):
    """Mean over the rows at least `gap` later; NaN where there are none."""
    count = means.shape[-1]
    columns = [means[:, j + gap :, j].mean(1) if j + gap < count else np.full(len(means), np.nan) for j in range(count)]
    return np.stack(columns, 1)
