"""Tiny random models of three architectures and a byte-level tokenizer for them."""

import functools

OPENED = "<think>\n"
WORDS = "we add two and three so the sum is five wait check again then take half of it the answer is ten"


@functools.cache
def tokenizer(*, tag_is_token: bool = True):
    """A byte-level tokenizer; with `tag_is_token`, `</think>` is one token as in R1 and Qwen, else several as in SmolLM2."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<eos>", "<bos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator([WORDS] * 4, trainer)
    if tag_is_token:
        core.add_tokens(["<think>", "</think>"])
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<eos>", bos_token="<bos>")


@functools.cache
def model(kind: str = "llama", seed: int = 0, *, tag_is_token: bool = True, vocabulary: int = 0):
    """A random model in evaluation mode; the spread of its weights makes its next tokens differ clearly."""
    import torch
    from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, Qwen2Config

    size = vocabulary or len(tokenizer(tag_is_token=tag_is_token))
    if kind == "gpt2":
        config = GPT2Config(vocab_size=size, n_embd=32, n_layer=2, n_head=2, n_positions=512)
    else:
        config = {"llama": LlamaConfig, "qwen2": Qwen2Config}[kind](
            vocab_size=size,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=512,
            tie_word_embeddings=kind == "qwen2",
        )
    config.bos_token_id, config.eos_token_id, config.initializer_range = 1, 0, 0.2
    torch.manual_seed(seed)
    made = AutoModelForCausalLM.from_config(config).eval()
    made.generation_config.eos_token_id = 0
    return made
