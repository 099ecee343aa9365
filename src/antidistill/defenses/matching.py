"""Defenses at a matched budget: the option of a method with which it removes a given share of given traces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from antidistill.defenses.base import Defense
from antidistill.defenses.front import guard, make
from antidistill.trace import Trace

Doses: TypeAlias = Mapping[str, tuple[str, Callable[[float], float | int]]]
"""Method -> the option that doses it, and the option's value at a position in (0, 1]; more is removed at higher positions."""

BY_SHARE: Doses = dict.fromkeys(
    ("traceguard", "random-sentences", "branches", "steps", "anchors"), ("share", lambda position: position)
)
"""Every method is dosed by its share."""

AS_PUBLISHED: Doses = {**BY_SHARE, "traceguard": ("k", lambda position: max(1, round(100 * position)))}
"""TraceGuard is dosed by the number of sentences, as in its paper."""

_STEPS = 9


def matched(method: str, share: float, traces: Sequence[Trace], key: bytes, doses: Doses = AS_PUBLISHED) -> Defense:
    """The method with the option that removes nearest to `share` of the characters of all traces; bisection.

    A method that cannot remove as much removes what it can; one that has no dose (`marker-words`, `exchange`) is taken as
    it is. The realised share is `removed_share` of its traces.

    Raises:
        UnknownName: no such method.
    """
    if method not in doses:
        return make(method, key=key)
    option, value_at = doses[method]
    low, high = 0.0, 1.0
    tried: list[tuple[float, Defense]] = []
    for _ in range(_STEPS):
        middle = (low + high) / 2
        options: dict[str, Any] = {option: value_at(middle)}
        chosen = make(method, key=key, **options)
        removed = removed_share(traces, guarded(traces, chosen))
        tried.append((abs(removed - share), chosen))
        low, high = (middle, high) if removed < share else (low, middle)
    return min(reversed(tried), key=lambda one: one[0])[1]  # of equal ones the last: out of reach, the largest dose


def guarded(traces: Sequence[Trace], defense: Defense) -> list[Trace]:
    """The traces as the defense leaves them."""
    return [replace(trace, reasoning=guard(trace, defense).reasoning) for trace in traces]


def removed_share(before: Sequence[Trace], after: Sequence[Trace]) -> float:
    """Share of the characters of the reasoning that are gone, in [0, 1] (below 0 where text was added)."""
    sizes = [sum(len(trace.reasoning) for trace in side) for side in (before, after)]
    return 1 - sizes[1] / max(sizes[0], 1)
