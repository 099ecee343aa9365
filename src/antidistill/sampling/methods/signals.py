"""Signals of a proxy on the logits of a teacher whose vocabulary may be longer (padded)."""

from __future__ import annotations

from typing import Any


def added(logits: Any, signal: Any, weight: float) -> Any:
    """The sum logits + weight * signal where the signal reaches; the rest as it was. Nothing is changed in place."""
    shared = min(logits.shape[-1], signal.shape[-1])
    changed = logits.clone()
    changed[:, :shared].add_(signal[:, :shared], alpha=weight)
    return changed
