"""Estimates over seeds and questions: the spread between seeds is pooled over methods, since three seeds alone say little."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from antidistill.trace import Estimate

Table = NDArray[np.float64]
"""One number per seed and question, shape (seeds, questions)."""
_LEVEL = 0.975
_UNSEEN = 3 / 1.96
"""What n questions never showed can still happen in 3 of n cases (the rule of three); in units of the standard error."""


def estimates(name: str, tables: Mapping[str, Table], unit: str = "") -> dict[str, Estimate]:
    """The mean of each table with a 95 % interval.

    The variance of a mean is the variance between seeds, pooled over all tables and divided by the number of seeds, plus the
    variance between questions, which for shares is never less than what the rule of three leaves: that all questions agree is no
    certainty. The interval is Student's t with tables x (seeds - 1) degrees of freedom. With one seed there is no spread between
    seeds to see: the interval is then that of questions alone, and too narrow. `n` is the number of questions.

    Args:
        name: of the estimates.
        tables: by row; all of one shape, measured with the same seeds and questions.
        unit: of the numbers; empty for shares and their differences.
    """
    from scipy.stats import t

    seeds = len(next(iter(tables.values())))
    freedom = len(tables) * (seeds - 1)
    spread = float(np.mean([table.mean(axis=1).var(ddof=1) for table in tables.values()])) if seeds > 1 else 0.0
    quantile = float(t.ppf(_LEVEL, freedom)) if freedom else float(t.ppf(_LEVEL, np.inf))
    found = {}
    for row, table in tables.items():
        questions = table.shape[1]
        least = 0.0 if unit else _UNSEEN**2 / questions
        error = math.sqrt(spread / seeds + max(_between(table), least) / questions)
        value = float(table.mean())
        found[row] = Estimate(name, value, value - quantile * error, value + quantile * error, questions, unit)
    return found


def ratio(name: str, above: Mapping[str, Table], below: Mapping[str, Table]) -> dict[str, Estimate]:
    """Mean of `above` over mean of `below`, linearised for the interval; NaN where the lower mean is 0."""
    shares = {row: float(above[row].mean() / below[row].mean()) if below[row].any() else math.nan for row in above}
    around = {
        row: (above[row] - shares[row] * below[row]) / below[row].mean() for row in above if not math.isnan(shares[row])
    }
    errors = estimates(name, around) if around else {}
    found = {}
    for row, share in shares.items():
        off = errors.get(row)
        ends = (share + off.low - off.value, share + off.high - off.value) if off else (math.nan, math.nan)
        found[row] = Estimate(name, share, *ends, n=above[row].shape[1])
    return found


def within(estimate: Estimate, low: float = 0.0, high: float = 1.0) -> Estimate:
    """The estimate of a share, its interval cut to what a share can be."""
    ends = max(estimate.low, low), min(estimate.high, high)
    return Estimate(estimate.name, estimate.value, *ends, n=estimate.n, unit=estimate.unit)


def _between(table: Table) -> float:
    """Variance between questions, each averaged over the seeds."""
    questions = table.mean(axis=0)
    return float(questions.var(ddof=1)) if len(questions) > 1 else 0.0
