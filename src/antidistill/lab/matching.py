"""Text defenses at a matched price: one share of the characters removed. Samplers are matched by `sampling.calibrate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from antidistill.defenses import Defense, make
from antidistill.distill.matched import guarded, removed_share
from antidistill.trace import Trace

_STEPS = 9

DOSES: dict[str, tuple[str, Callable[[float], float]]] = {
    "traceguard": ("share", lambda position: position),
    "random-sentences": ("share", lambda position: position),
    "branches": ("share", lambda position: position),
    "steps": ("share", lambda position: position),
}
"""Text defense -> the option that doses it, and the option's value at a position in (0, 1]. Short traces need a share where
TraceGuard's `k` would jump: one marker sentence is a tenth to a third of a trace of the lab."""


class Found(NamedTuple):
    """The position whose price came nearest to the wanted one, and that price."""

    position: float
    price: float


def search(price: Callable[[float], float], wanted: float, steps: int) -> Found:
    """Bisection on (0, 1) for a price that rises with the position; the nearest one that was seen."""
    low, high = 0.0, 1.0
    seen = []
    for _ in range(steps):
        middle = (low + high) / 2
        seen.append(Found(middle, price(middle)))
        low, high = (middle, high) if seen[-1].price < wanted else (low, middle)
    return min(seen, key=lambda found: abs(found.price - wanted))


def defense_at(method: str, share: float, traces: Sequence[Trace], key: bytes) -> Defense:
    """The text defense that removes nearest to `share` of the characters of all traces.

    A method that cannot remove as much removes what it can; one without a dose (marker-words, exchange) is taken as it is.

    Raises:
        UnknownName: no such method.
    """
    if method not in DOSES:
        return make(method, key=key)
    option, value_at = DOSES[method]

    def dosed(position: float) -> Defense:
        options: dict[str, Any] = {option: value_at(position)}
        return make(method, key=key, **options)

    found = search(lambda position: removed_share(traces, guarded(traces, dosed(position))), share, _STEPS)
    return dosed(found.position)
