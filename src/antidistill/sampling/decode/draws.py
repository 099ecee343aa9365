"""Chance by trace and position: HMAC-SHA256(key, prompt, sample, position), never a shared generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from antidistill.defenses.choices import Choices

_WIDE = 4096
"""Tokens looked at first for the nucleus; a full sort takes many times as long and is seldom needed."""


class Draws:
    """The chance of one trace: the same for the same key, prompt and sample, whatever else is in the batch.

    Args:
        key: the secret.
        trace_key: `Trace.key`, 32 bytes.
        sample: number of the trace among those of its prompt.
    """

    __slots__ = ("_choices", "_key", "_name", "_trace_key")

    def __init__(self, key: bytes, trace_key: bytes, sample: int = 0) -> None:
        self._key, self._trace_key, self._name = key, trace_key, f"sample {sample} "
        self._choices = self._of("tokens")

    def uniform(self, position: int) -> float:
        """The number in [0, 1) that draws the token at `position`."""
        return self._choices.uniform(position)

    def order(self, purpose: str, count: int) -> list[int]:
        """A permutation of 0 … count - 1."""
        return self._of(purpose).order(count)

    def generator(self, purpose: str, position: int) -> Any:
        """A generator of torch, on the processor, for the many numbers that a method needs at `position`."""
        import torch

        high, low = (int(self._of(purpose).uniform(2 * position + half) * 2**32) for half in (0, 1))
        return torch.Generator().manual_seed(high * 2**31 + low // 2)

    def _of(self, purpose: str) -> Choices:
        return Choices(self._key, self._trace_key, self._name + purpose)


def draw(logits: Any, uniforms: Sequence[float], top_k: int = 0, top_p: float = 1.0) -> list[int]:
    """One token per row, by the inverse of its distribution function.

    Args:
        logits: after the temperature, float32, (rows, vocabulary).
        uniforms: a number in [0, 1) per row.
        top_k: tokens kept; 0 keeps all.
        top_p: smallest set of tokens with this mass is kept.
    """
    import torch

    logits = filtered(logits, top_k, top_p)
    reached = torch.softmax(logits, -1).cumsum(-1)
    total = reached[:, -1:]
    wanted = torch.tensor(uniforms, dtype=torch.float64, device=logits.device)[:, None] * total
    # Rounding must not reach the total, behind which there is no token.
    wanted = torch.minimum(wanted.to(reached.dtype), torch.nextafter(total, torch.zeros_like(total)))
    found: list[int] = torch.searchsorted(reached, wanted, right=True)[:, 0].tolist()
    return found


def filtered(logits: Any, top_k: int, top_p: float) -> Any:
    """The logits, minus infinity where a token is left out; ties with the last kept token stay."""
    if 0 < top_k < logits.shape[-1]:
        least = logits.topk(top_k, -1).values[:, -1:]
        logits = logits.masked_fill(logits < least, float("-inf"))
    if top_p < 1:
        logits = logits.masked_fill(logits < _nucleus_edge(logits, top_p), float("-inf"))
    return logits


def _nucleus_edge(logits: Any, top_p: float) -> Any:
    """Logit of the last token of the nucleus, (rows, 1)."""
    import torch

    total = logits.logsumexp(-1, keepdim=True)
    for width in (min(_WIDE, logits.shape[-1]), logits.shape[-1]):
        best = logits.topk(width, -1).values
        reached = torch.exp(best - total).cumsum(-1)
        if bool((reached[:, -1] >= top_p).all()):
            break
    last = (reached < top_p).sum(-1, keepdim=True).clamp(max=width - 1)
    return best.gather(-1, last)
