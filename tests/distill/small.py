"""Tiny random models of real architectures, a tokenizer trained on the spot, and a world that they can learn."""

import functools
import random

from antidistill.distill import Layout, Question
from antidistill.trace import Trace

PLAIN = Layout(prompt="{prompt}\n", opening="", closing="\nAnswer: ", forcing="", chat=False)
END = "<|end|>"


@functools.cache
def tokenizer():
    """Words, digits and signs as tokens, trained on the world; no chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    texts = [PLAIN.completion(trace) + trace.prompt for trace in traces(200)]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=[END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    inner.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=END, pad_token=END)


def traces(number, seed=0):
    """Sums of two digits, with a step in between and a marker now and then."""
    draw = random.Random(seed)
    found = []
    for row in range(number):
        a, b = draw.randrange(10), draw.randrange(10)
        check = " Wait, let me check that." if draw.random() < 0.5 else ""
        found.append(Trace(str(row), f"{a} plus {b}?", f"I add {a} and {b}.{check} It is {a + b}.", str(a + b)))
    return found


def questions():
    """All sums."""
    return [Question(f"{a}+{b}", f"{a} plus {b}?", str(a + b), "exact") for a in range(10) for b in range(10)]


def model(kind="llama", seed=0, **changes):
    """A random model of a few thousand parameters of one architecture."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    common = {"vocab_size": len(tokenizer()), "bos_token_id": None, "eos_token_id": tokenizer().eos_token_id}
    decoder = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 256,
    }
    own = {
        "llama": decoder,
        "gemma3_text": decoder,
        "qwen2": {name: value for name, value in decoder.items() if name != "head_dim"},
        "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 256},
        "mamba": {"hidden_size": 64, "num_hidden_layers": 2, "state_size": 8},
    }[kind]
    torch.manual_seed(seed)
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **(common | own | changes))).eval()


def save(place, traces, questions, **students):
    """Folders of students (`student` unless named), `traces.jsonl` and `questions.jsonl`; no prompt is a question."""
    import json

    for name, made in (students or {"student": model()}).items():
        made.save_pretrained(place / name)
        tokenizer().save_pretrained(place / name)
    rows = [
        {"id": t.id, "prompt": f"Sum: {t.prompt}", "reasoning": t.reasoning, "answer": t.answer}
        for t in globals()["traces"](traces)
    ]
    asked = [
        {"id": q.id, "question": q.text, "gold": q.gold, "grader": q.grader}
        for q in globals()["questions"]()[:questions]
    ]
    for name, content in (("traces", rows), ("questions", asked)):
        (place / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
