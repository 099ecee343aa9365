"""Draws tokens of finished clean traces anew, each on its clean context."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from antidistill.sampling.decode.draws import draw
from antidistill.sampling.decode.ending import Ending
from antidistill.sampling.decode.row import Row
from antidistill.sampling.methods.base import Sampler, Step
from antidistill.sampling.settings import Settings


def revise(teacher: Any, sampler: Sampler, rows: Sequence[Row], ending: Ending, settings: Settings) -> None:
    """Replaces the masked tokens of each row's reasoning.

    The number that drew the clean token draws the new one, so a token changes only where its distribution did. Tokens that
    end a text or the reasoning are not drawn: the context behind them is that of a reasoning that goes on.

    Args:
        teacher: the model that wrote the rows.
        sampler: a sampler with `post_hoc`; its `masked(draws, span)` names the positions.
        rows: finished rows; their tokens are changed in place.
        ending: where their reasoning ends.
        settings: how they were sampled.
    """
    for row in rows:
        span = ending.body(row.tokens, row.cut or row.reasoning)
        positions = sorted(sampler.masked(row.draws, span))  # type: ignore[attr-defined]
        if not positions:
            continue
        clean = _logits(teacher, [*row.ids, *row.tokens], [len(row.ids) + position - 1 for position in positions])
        changed = sampler(
            clean, Step(settings.temperature, [row.draws] * len(positions), positions, [span] * len(positions))
        )
        inside = [token for token in ending.exempt if token < changed.shape[-1]]
        changed[:, inside] = float("-inf")
        uniforms = [row.draws.uniform(position) for position in positions]
        new = draw(changed / settings.temperature, uniforms, settings.top_k, settings.top_p)
        for position, token in zip(positions, new, strict=True):
            row.tokens[position] = token


def _logits(teacher: Any, ids: Sequence[int], places: Sequence[int]) -> Any:
    """The teacher's logits behind the tokens at `places`, float32, (places, vocabulary)."""
    import torch

    whole = torch.tensor([ids], device=teacher.device)
    wanted = torch.tensor(places, device=teacher.device)
    with torch.no_grad():
        if "logits_to_keep" in inspect.signature(teacher.forward).parameters:
            return teacher(input_ids=whole, use_cache=False, logits_to_keep=wanted).logits[0].float()
        return teacher(input_ids=whole, use_cache=False).logits[0, wanted].float()
