"""Two samples of answers: how far apart they are, how sure that is, and what pure sampling noise would give."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from antidistill.measure.intervals import Interval, Values

JEFFREYS = 0.5
"""Added to the count of every answer that either sample has. With next to nothing instead, one answer of a hundred that the other
sample lacks adds 0.2 nats, and noise alone is as large as what was published."""
DRAWS = 400


class Apart(NamedTuple):
    """A difference between two samples.

    Attributes:
        interval: the difference and its 95 % interval.
        floor: what 95 % of pairs of samples of these sizes stay below (in absolute value) where there is no difference.
    """

    interval: Interval
    floor: float


def divergence(first: Values, second: Values) -> Values:
    """KL divergence of the first distribution from the second, in nats; 0 and more; by Jeffreys-smoothed counts.

    Args:
        first: counts of each answer, shape (…, answers).
        second: the same of the other sample.
    """
    ours, theirs = first + JEFFREYS, second + JEFFREYS
    ours = ours / ours.sum(-1, keepdims=True)
    theirs = theirs / theirs.sum(-1, keepdims=True)
    return np.asarray((ours * np.log(ours / theirs)).sum(-1), dtype=np.float64)


def answers_apart(first: Sequence[Hashable], second: Sequence[Hashable], seed: int = 0) -> Apart:
    """KL divergence of the first answers' distribution from the second's, in nats.

    The interval is a bootstrap of both samples (400 draws) moved by twice the bias that it shows, cut at 0: a drawn sample adds
    its noise to that of the sample itself, so plain percentiles miss a divergence of 0 (benchmarks/resampling.py).

    Args:
        first: one answer per rollout; not empty.
        second: the same of the other sample.
        seed: of the draws.
    """
    counts = counted(first, second)
    value = float(divergence(counts[0], counts[1]))
    generator = np.random.default_rng(seed)
    drawn = [generator.multinomial(int(each.sum()), each / each.sum(), size=DRAWS) for each in counts]
    found = divergence(drawn[0].astype(np.float64), drawn[1].astype(np.float64))
    low, high = np.maximum(np.percentile(found, [2.5, 97.5]) - 2 * (found.mean() - value), 0.0)
    floor = float(np.percentile(_null(counts, generator, divergence), 95))
    return Apart(Interval(value, float(min(low, value)), float(max(high, value))), floor)


def rates_apart(first: Sequence[bool], second: Sequence[bool], seed: int = 0) -> Apart:
    """Share of True in the second sample minus that in the first, -1 to 1.

    The interval holds the middle 95 % of differences of the two shares' Jeffreys posteriors (beta distributions, 4,000 draws).

    Args:
        first: one value per rollout; not empty.
        second: the same of the other sample.
        seed: of the draws.
    """
    hits, sizes = np.array([sum(first), sum(second)]), np.array([len(first), len(second)])
    generator = np.random.default_rng(seed)
    shares = generator.beta(hits + JEFFREYS, sizes - hits + JEFFREYS, size=(10 * DRAWS, 2))
    low, high = np.percentile(shares[:, 1] - shares[:, 0], [2.5, 97.5])
    value = float(hits[1] / sizes[1] - hits[0] / sizes[0])
    counts = np.array([hits, sizes - hits], dtype=np.float64).T
    floor = float(np.percentile(_null(counts, generator, _difference), 95))
    return Apart(Interval(value, float(min(low, value)), float(max(high, value))), floor)


def counted(first: Sequence[Hashable], second: Sequence[Hashable]) -> Values:
    """How often each answer of either sample occurs in both, shape (2, answers)."""
    places = {answer: place for place, answer in enumerate(dict.fromkeys([*first, *second]))}
    counts = np.zeros((2, len(places)))
    for row, sample in enumerate((first, second)):
        np.add.at(counts[row], [places[answer] for answer in sample], 1)
    return counts


def _null(
    counts: Values, generator: np.random.Generator, apart: Callable[[Values, Values], Values]
) -> NDArray[np.float64]:
    """Differences of samples that are both drawn from what the two have together."""
    together = counts.sum(axis=0) / counts.sum()
    drawn = [generator.multinomial(int(size), together, size=DRAWS).astype(np.float64) for size in counts.sum(axis=1)]
    return apart(drawn[0], drawn[1])


def _difference(first: Values, second: Values) -> Values:
    return np.asarray(np.abs(second[..., 0] / second.sum(-1) - first[..., 0] / first.sum(-1)), dtype=np.float64)
