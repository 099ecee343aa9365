"""The answer of the game."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from antidistill.theory.game.limits import Limit
from antidistill.theory.game.programs import Price


class Single(NamedTuple):
    """A defense taken alone, and its value."""

    row: str
    value: float


@dataclass(frozen=True, slots=True)
class Solution:
    """What to commit to, what it guarantees, and what stands in the way of more.

    Attributes:
        commitment: probability of each defense that has one.
        value: damage that the commitment guarantees; expected damage where there is a prior.
        low: low end of its 95 % interval; None where the payoffs carry no error.
        high: high end of it.
        worst_case: damage if an adversary does what hurts the defender most, whatever it costs it.
        against: the adversary's answer: probability of each student, with what it does to the traces. In the worst case a mixture
            of students against which no commitment does better.
        limits: the limits that were set.
        reached: the value of each limited metric.
        counted: what the limit counts of it: the same, or the bad end of its interval for a cautious commitment.
        prices: per limited metric, what a unit of its limit is worth.
        single: the best single defense; None where no single one keeps the limits.
        chosen: mean weight of each defense over resampled payoffs; None where it was not calculated.
        has_prior: True if the value is an expectation over a prior.
    """

    commitment: Mapping[str, float]
    value: float
    low: float | None
    high: float | None
    worst_case: float
    against: Mapping[str, float]
    limits: tuple[Limit, ...]
    reached: Mapping[str, float]
    counted: Mapping[str, float]
    prices: Mapping[str, Price]
    single: Single | None
    chosen: Mapping[str, float] | None
    has_prior: bool

    @property
    def binding(self) -> list[str]:
        """Metrics whose limit costs damage: widening it would raise the value."""
        return [name for name, price in self.prices.items() if price.wider > 0]

    def to_json(self) -> dict[str, Any]:
        """What the command line prints; `prices` are those of widening a limit by one unit."""
        return {
            "commitment": dict(self.commitment),
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "binding": self.binding,
            "prices": {name: price.wider for name, price in self.prices.items()},
            "prices_of_narrowing": {name: price.narrower for name, price in self.prices.items()},
            "worst_case": self.worst_case,
            "against": dict(self.against),
            "limits": [str(limit) for limit in self.limits],
            "reached": dict(self.reached),
            "counted": dict(self.counted),
            "single": None if self.single is None else {"row": self.single.row, "value": self.single.value},
            "chosen": None if self.chosen is None else dict(self.chosen),
        }
