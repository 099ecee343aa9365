"""Limits on what a commitment may cost: visibility at most, utility at least, or any other metric of the payoffs.

A mixture of defenses reaches the weighted mean of their metrics. For the AUROC of one detector that is exact; for the AUROC of
the best detector, a total variation or a KL divergence it is an upper bound, because these are convex: a limit is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from antidistill.errors import BadOption, NoCommitment, UnknownName
from antidistill.theory.game.payoffs import Array, Payoffs

_FORM = re.compile(r"\s*(.+?)\s*(<=|>=)\s*(\S+)\s*")


class Limit(NamedTuple):
    """`metric` is at most `bound`, or at least `bound` where `at_least` is set."""

    metric: str
    bound: float
    at_least: bool = False

    def __str__(self) -> str:
        return f"{self.metric} {'>=' if self.at_least else '<='} {self.bound:g}"

    def excess(self, payoffs: Payoffs, cautious: bool = False) -> Array:
        """By how much each defense breaks the limit, shape (rows,); 0 or below where it keeps it.

        Args:
            payoffs: the payoffs that hold the metric.
            cautious: count the bad end of each metric's interval instead of its value.

        Raises:
            UnknownName: the payoffs hold no such metric.
        """
        if self.metric not in payoffs.metrics:
            raise UnknownName("metric", self.metric, payoffs.metrics)
        metric = payoffs.metrics[self.metric]
        if self.at_least:
            return self.bound - (metric.low if cautious else metric.value)
        return (metric.high if cautious else metric.value) - self.bound


def parse_limit(text: str) -> Limit:
    """The limit in a text such as `visibility<=0.6`.

    Raises:
        BadOption: the text is no limit.
    """
    found = _FORM.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        bound = float(found[3])
    except ValueError:
        raise BadOption("limit", text, "a metric, <= or >=, and a number, for instance kl<=2.0") from None
    return Limit(found[1], bound, found[2] == ">=")


def check(limits: Sequence[Limit]) -> None:
    """Raises BadOption where a bound is not finite or a metric has two limits."""
    for number, limit in enumerate(limits):
        if not np.isfinite(limit.bound):
            raise BadOption("limit", str(limit), "a finite bound")
        if limit.metric in {other.metric for other in limits[:number]}:
            raise BadOption("limit", str(limit), f"one limit per metric, and {limit.metric!r} has two")


def refusal(limits: Sequence[Limit], excess: Array, rows: Sequence[str], pure: bool) -> NoCommitment:
    """The error that says why no commitment keeps the limits; `excess` has shape (limits, rows)."""
    for limit, excesses in zip(limits, excess, strict=True):
        if excesses.min() > 0:
            best = rows[int(excesses.argmin())]
            reached = limit.bound + (-1 if limit.at_least else 1) * excesses.min()
            return NoCommitment(
                f"no defense keeps {limit}: the nearest, {best!r}, reaches {reached:g}; widen the limit."
            )
    together = " and ".join(map(str, limits))
    who = "single defense" if pure else "defense and no mixture of defenses"
    return NoCommitment(f"no {who} keeps {together} together, though each alone can be kept; widen one of them.")
