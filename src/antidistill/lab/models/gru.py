"""A small recurrent language model that is called like a transformers model."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn


class Output(NamedTuple):
    """Logits of shape (batch, length, vocabulary), and the states after the last token."""

    logits: Tensor
    past_key_values: Tensor


class GRUForCausalLM(nn.Module):
    """Embedding, GRU, tied output: no attention, so what it knows of the prompt is in its state.

    Args:
        vocabulary: tokens.
        width: of embedding and state.
        layers: GRU layers.
    """

    def __init__(self, vocabulary: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.recurrence = nn.GRU(width, width, layers, batch_first=True)
        self.norm = nn.LayerNorm(width)

    def forward(self, input_ids: Tensor, past_key_values: Tensor | None = None, **_: Any) -> Output:
        """Reads tokens of shape (batch, length), behind those that made the states `past_key_values`."""
        hidden, states = self.recurrence(self.embedding(input_ids), past_key_values)
        return Output(self.norm(hidden) @ self.embedding.weight.T, states)
