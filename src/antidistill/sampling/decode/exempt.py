"""Tokens that a method may not touch keep exactly the probability that the clean teacher gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Exempt:
    """Restores the probability of the exempt tokens and scales that of all others.

    A changed logit alone would not do: methods move logits by amounts that are known only up to a constant, and that constant
    would make an untouched end-of-text token more or less likely.

    Args:
        tokens: the exempt tokens.
    """

    def __init__(self, tokens: Sequence[int]) -> None:
        self._tokens = tokens
        self._index: Any = None

    def __call__(self, clean: Any, changed: Any, temperature: float) -> Any:
        """The changed logits with the exempt tokens as they were.

        Args:
            clean: logits of the teacher, (rows, vocabulary).
            changed: logits of the method, of the same shape.
            temperature: tau that both will be divided by; at 0 nothing is scaled.
        """
        if changed is clean:
            return clean
        index = self._on(clean)
        kept = clean.index_select(-1, index)
        if temperature == 0:
            return changed.index_copy(-1, index, kept)
        lost = float("-inf")
        before = clean.index_fill(-1, index, lost).div_(temperature).logsumexp(-1, keepdim=True)
        changed = changed.index_fill(-1, index, lost)
        shift = (before - (changed / temperature).logsumexp(-1, keepdim=True)) * temperature
        return (changed + shift).index_copy_(-1, index, kept)

    def _on(self, logits: Any) -> Any:
        import torch

        if self._index is None or self._index.device != logits.device:
            inside = [token for token in self._tokens if token < logits.shape[-1]]
            self._index = torch.as_tensor(inside, dtype=torch.long, device=logits.device)
        return self._index
