"""Students and teacher: small models of the architectures that people distil into, made from nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Size:
    """Width, layers and attention heads of a model."""

    width: int
    layers: int
    heads: int = 4


def llama(vocabulary: int, size: Size, length: int) -> Any:
    """Rotary positions, RMS norm, gated MLP."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(**_modern(vocabulary, size, length)))


def qwen2(vocabulary: int, size: Size, length: int) -> Any:
    """As Llama, with biases on query, key and value and two key heads fewer than query heads."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    return Qwen2ForCausalLM(Qwen2Config(**_modern(vocabulary, size, length) | {"num_key_value_heads": size.heads // 2}))


def gpt2(vocabulary: int, size: Size, length: int) -> Any:
    """Learnt absolute positions, layer norm, GELU."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=vocabulary,
        n_embd=size.width,
        n_layer=size.layers,
        n_head=size.heads,
        n_positions=length,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=1,
    )
    return GPT2LMHeadModel(config)


def gru(vocabulary: int, size: Size, length: int) -> Any:
    """A recurrent model without attention."""
    from antidistill.lab.models.gru import GRUForCausalLM

    return GRUForCausalLM(vocabulary, size.width, size.layers)


def mamba(vocabulary: int, size: Size, length: int) -> Any:
    """A state-space model; transformers runs it step by step where its kernels are missing."""
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(
        vocab_size=vocabulary, hidden_size=size.width, num_hidden_layers=size.layers, state_size=8, use_mambapy=False
    )
    return MambaForCausalLM(config)


def _modern(vocabulary: int, size: Size, length: int) -> dict[str, Any]:
    return {
        "vocab_size": vocabulary,
        "hidden_size": size.width,
        "intermediate_size": 3 * size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.heads,
        "max_position_embeddings": length,
        "tie_word_embeddings": True,
        "pad_token_id": 0,
        "bos_token_id": None,
        "eos_token_id": 1,
    }


ARCHITECTURES: Mapping[str, Callable[[int, Size, int], Any]] = {
    "llama": llama,
    "gpt2": gpt2,
    "qwen2": qwen2,
    "gru": gru,
    "mamba": mamba,
}
