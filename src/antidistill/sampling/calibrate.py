"""Finds how strong a method may be for a given accuracy of the teacher: the only fair way to set lambda and its kin."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from antidistill.errors import BadOption, UsageError
from antidistill.measure.intervals import wilson
from antidistill.sampling.methods.base import Sampler
from antidistill.trace import Estimate

_WIDEST = 1e6


@dataclass(frozen=True, slots=True)
class Tried:
    """One strength and the teacher's accuracy at it, with a 95 % Wilson interval."""

    strength: float
    accuracy: Estimate


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a search found.

    Attributes:
        sampler: the method at the strength whose accuracy came nearest to the target.
        option: name of the strength.
        target: the wanted accuracy.
        tried: all strengths, ascending.
        reached: the chosen one.
        inside: whether the interval of the chosen one holds the target.
    """

    sampler: Sampler
    option: str
    target: float
    tried: tuple[Tried, ...]
    reached: Tried
    inside: bool

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it."""
        return {
            "option": self.option,
            "strength": self.reached.strength,
            "target": self.target,
            "reached": self.reached.accuracy.to_json(),
            "inside": self.inside,
            "tried": [{"strength": each.strength, **each.accuracy.to_json()} for each in self.tried],
        }


def calibrate(
    accuracy: Callable[[Sampler], Sequence[bool]],
    sampler: Sampler,
    target: float,
    *,
    start: float | None = None,
    rounds: int = 8,
    progress: Callable[[Tried], None] = lambda tried: None,
) -> Calibration:
    """The strength at which the teacher's accuracy is nearest to `target`, by doubling and halving.

    Every round should grade traces of the same prompts under the same key, so that rounds share their chance and accuracy
    moves with the strength alone. Prompts used here should not be those that are published or tested.

    Args:
        accuracy: grades the traces that a sampler gives for a fixed set of prompts; True is right.
        sampler: the method; its option `strength` is what is searched.
        target: wanted accuracy of the teacher, in (0, 1).
        start: first strength; that of `sampler` if None.
        rounds: how many strengths are tried.
        progress: called after each.

    Raises:
        UsageError: the method has no strength.
        BadOption: the target, the start or the rounds are out of range.
    """
    if sampler.strength is None:
        raise UsageError(
            f"{sampler.name} has no strength to calibrate: choose a method such as ads, poe or temperature."
        )
    if not 0 < target < 1:
        raise BadOption("target", target, "an accuracy in (0, 1)")
    option = sampler.strength
    value = float(getattr(sampler, option) if start is None else start)
    if value <= 0 or rounds < 1:
        raise BadOption(option if value <= 0 else "rounds", value if value <= 0 else rounds, "above 0 to start from")
    tried: list[Tried] = []
    while len(tried) < rounds:
        value = min(value, _limit(sampler))
        if any(each.strength == value for each in tried):
            break
        graded = accuracy(_at(sampler, value))
        tried.append(Tried(value, _share(graded)))
        progress(tried[-1])
        value = _next(tried, target)
    tried.sort(key=lambda each: each.strength)
    nearest = min(tried, key=lambda each: (abs(each.accuracy.value - target), each.strength))
    inside = nearest.accuracy.low <= target <= nearest.accuracy.high
    return Calibration(_at(sampler, nearest.strength), option, target, tuple(tried), nearest, inside)


def _at(sampler: Sampler, strength: float) -> Sampler:
    found: Sampler = dataclasses.replace(sampler, **{str(sampler.strength): strength})  # type: ignore[type-var]
    return found


def _limit(sampler: Sampler) -> float:
    """The largest strength that the method allows."""
    for most in (_WIDEST, 1.0):
        try:
            _at(sampler, most)
        except BadOption:
            continue
        return most
    return 1.0


def _next(tried: Sequence[Tried], target: float) -> float:
    """The geometric mean of the strongest that is accurate enough and the next one that is not; outside, four times on."""
    weak = max((each.strength for each in tried if each.accuracy.value >= target), default=None)
    strong = [
        each.strength for each in tried if each.accuracy.value < target and (weak is None or each.strength > weak)
    ]
    if weak is None:
        return min(each.strength for each in tried) / 4
    return math.sqrt(weak * min(strong)) if strong else weak * 4


def _share(graded: Sequence[bool]) -> Estimate:
    if not graded:
        raise UsageError("no trace was graded: give prompts with a gold answer.")
    share = sum(map(bool, graded)) / len(graded)
    return Estimate("teacher accuracy", share, *wilson(share, len(graded)), len(graded))
