"""Defenses at a matched budget: the option of a method with which it removes a given share of given traces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from antidistill.defenses import Defense, guard, make
from antidistill.trace import Trace

SEARCHED: dict[str, tuple[str, Callable[[float], float | int]]] = {
    "traceguard": ("k", lambda position: max(1, round(100 * position))),
    "random-sentences": ("share", lambda position: position),
    "branches": ("share", lambda position: position),
    "steps": ("share", lambda position: position),
}
"""Method -> its option, and the value at a position in (0, 1]; more is removed at higher positions."""
_STEPS = 9


def matched(method: str, share: float, traces: Sequence[Trace], key: bytes) -> Defense:
    """The method with the option that removes nearest to `share` of the characters of all traces; bisection.

    A method that cannot remove as much removes what it can; one that has no such option (`marker-words`, `exchange`) is
    taken as it is. The realised share is `removed_share` of its traces.

    Raises:
        UnknownName: no such method.
    """
    if method not in SEARCHED:
        return make(method, key=key)
    option, value_at = SEARCHED[method]
    low, high = 0.0, 1.0
    tried: dict[float, Defense] = {}
    for _ in range(_STEPS):
        middle = (low + high) / 2
        chosen = make(method, key=key, **{option: value_at(middle)})
        removed = removed_share(traces, guarded(traces, chosen))
        tried.setdefault(abs(removed - share), chosen)
        low, high = (middle, high) if removed < share else (low, middle)
    return tried[min(tried)]


def guarded(traces: Sequence[Trace], defense: Defense) -> list[Trace]:
    """The traces as the defense leaves them."""
    return [replace(trace, reasoning=guard(trace, defense).reasoning) for trace in traces]


def removed_share(before: Sequence[Trace], after: Sequence[Trace]) -> float:
    """Share of the characters of the reasoning that are gone, in [0, 1] (below 0 where text was added)."""
    sizes = [sum(len(trace.reasoning) for trace in side) for side in (before, after)]
    return 1 - sizes[1] / max(sizes[0], 1)
