"""How far two next-token distributions are apart, over the whole vocabulary, a few tokens at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from antidistill.anchors.prefix import body_of
from antidistill.measure.intervals import Values

ROWS = 128
"""Tokens whose logits exist at a time."""


def divergences(model: Any, hidden: Any, others: Any, temperature: float) -> Values:
    """KL divergence of each token's next-token distribution from another one, in nats, shape (tokens,); 0 and more.

    Args:
        model: the model whose head turns hidden states into logits.
        hidden: hidden states whose distributions are compared with, shape (tokens, width).
        others: hidden states of the same tokens that were made differently, same shape.
        temperature: divides the logits of both.
    """
    import torch

    found = []
    with torch.inference_mode(), _head_alone(model) as logits:
        for first, second in zip(hidden.split(ROWS), others.split(ROWS), strict=True):
            if torch.equal(first, second):
                found.append(torch.zeros(len(first)))
                continue
            parts = (torch.log_softmax(logits(part).float() / temperature, -1) for part in (first, second))
            found.append(_divergence(*parts).cpu())
    return np.asarray(torch.cat(found).double().numpy(), dtype=np.float64)


def _divergence(ours: Any, theirs: Any) -> Any:
    """Sum of p log(p / q) as sum of p (q / p - 1 - log(q / p)), whose terms are never negative.

    The two are equal since both distributions add up to 1. The usual form loses small divergences to rounding.
    """
    import torch

    apart = theirs - ours
    shares = ours.exp()
    small = shares * (torch.expm1(apart.clamp(max=1.0)) - apart)
    large = theirs.exp() - shares - shares * apart
    return torch.where(apart < 1.0, small, large).sum(-1)


@contextmanager
def _head_alone(model: Any) -> Iterator[Any]:
    """A function from hidden states (tokens, width) to logits, by whatever the model does behind its body."""
    import torch

    body = body_of(model)
    before = vars(body).get("forward")
    given: list[Any] = [None]
    body.forward = lambda *_, **__: _Output(given[0])

    def logits(hidden: Any) -> Any:
        given[0] = hidden[None]
        blank = torch.zeros((1, len(hidden)), dtype=torch.long, device=hidden.device)
        return model(input_ids=blank, use_cache=False).logits[0]

    try:
        yield logits
    finally:
        del body.forward
        if before is not None:
            body.forward = before


class _Output:
    """What the body of a model returns, with hidden states alone; all else is None."""

    def __init__(self, hidden: Any) -> None:
        self.last_hidden_state = hidden

    def __getattr__(self, name: str) -> None:
        return None

    def __getitem__(self, place: Any) -> Any:
        return self.last_hidden_state if place == 0 else (self.last_hidden_state,)
