"""Intervals: means of prompts by bootstrap, AUROC by DeLong, true positives at a false-positive rate.

All intervals are 95 %. Rows that share a prompt are one cluster: they are resampled, or counted, together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

Z95 = 1.959963984540054
_RESAMPLES = 2000


class Interval(NamedTuple):
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


class Sample(NamedTuple):
    """Scores of one side, and the prompt that each row belongs to.

    Attributes:
        scores: shape (rows,), higher = more likely guarded.
        prompts: shape (rows,), integer codes; rows with one code are one cluster.
    """

    scores: Values
    prompts: NDArray[np.int64]


class Fold(NamedTuple):
    """Held-out scores of one fold: one model scored both sides, their prompts are disjoint."""

    clean: Sample
    guarded: Sample


def mean(values: Values, prompts: NDArray[np.int64], seed: int = 0) -> Interval:
    """Mean over rows; percentile bootstrap over prompts (2,000 resamples)."""
    sums, sizes = _by_cluster(values, prompts)
    weights = _resamples(len(sums), seed)
    low, high = np.percentile((weights @ sums) / (weights @ sizes), [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))


def deviation(values: Values, prompts: NDArray[np.int64], seed: int = 0) -> Interval:
    """Standard deviation over rows; percentile bootstrap over prompts (2,000 resamples)."""
    sums, sizes = _by_cluster(values, prompts)
    squares, _ = _by_cluster(values**2, prompts)
    weights = _resamples(len(sums), seed)
    rows = weights @ sizes
    spread = np.sqrt(np.maximum((weights @ squares) / rows - ((weights @ sums) / rows) ** 2, 0.0))
    low, high = np.percentile(spread, [2.5, 97.5])
    return Interval(float(values.std()), float(low), float(high))


def auroc(folds: Sequence[Fold]) -> Interval:
    """AUROC of one cross-fitting: the mean over folds, each fold compared only within itself.

    Scores of different folds come from different models, so pooling them would compare scales. The variance is that of
    DeLong et al. (1988) with prompts as clusters (Obuchowski 1997), the interval is symmetric on the logit scale. Where no
    pair, or every pair, is in order, that variance is zero and Newcombe's (2006, method 5) interval stands in.
    """
    found = np.array([_delong(fold) for fold in folds])
    value, variance = float(found[:, 0].mean()), float(found[:, 1].sum()) / len(folds) ** 2
    if variance <= 0 or not 0 < value < 1:
        clusters = [min(_clusters(fold.clean), _clusters(fold.guarded)) for fold in folds]
        return Interval(value, *_newcombe(value, sum(clusters)))
    middle, half = math.log(value / (1 - value)), Z95 * math.sqrt(variance) / (value * (1 - value))
    return Interval(value, 1 / (1 + math.exp(half - middle)), 1 / (1 + math.exp(-half - middle)))


def true_positives(folds: Sequence[Fold], rate: float = 0.01, seed: int = 0) -> Interval:
    """Share of guarded traces above the threshold that at most `rate` of the clean ones exceed.

    Folds are pooled, since one fold has too few clean traces for the threshold. Bootstrap over prompts, the threshold
    found anew each time; never narrower than the Wilson interval of the share at a fixed threshold.
    """
    clean, guarded = pooled(folds)
    ours, theirs = _draws(clean, seed), _draws(guarded, seed + 1)
    value = float(
        _caught(clean.scores, guarded.scores, np.ones((1, len(clean.scores))), np.ones((1, len(guarded.scores))), rate)[
            0
        ]
    )
    low, high = np.percentile(_caught(clean.scores, guarded.scores, ours, theirs, rate), [2.5, 97.5])
    fixed_low, fixed_high = wilson(value, _clusters(guarded))
    return Interval(value, float(min(low, fixed_low)), float(max(high, fixed_high)))


def averaged(intervals: Sequence[Interval]) -> Interval:
    """The mean of values and of bounds over repeated cross-fittings of the same traces.

    The mean of several estimates varies no more than one of them, so the mean interval, which has the width of a single
    cross-fitting, covers at least as often as it says.
    """
    return Interval(*(float(column) for column in np.mean(np.array(intervals), axis=0)))


def pooled(folds: Sequence[Fold]) -> Fold:
    """All folds as one."""
    sides = ([fold.clean for fold in folds], [fold.guarded for fold in folds])
    joined = [Sample(*(np.concatenate(parts) for parts in zip(*side, strict=True))) for side in sides]
    return Fold(joined[0], joined[1])


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's (1927) interval of a share of `n`."""
    square = Z95**2 / n
    middle = (share + square / 2) / (1 + square)
    half = Z95 * math.sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _delong(fold: Fold) -> tuple[float, float]:
    """AUROC and its variance: mean and spread of the placements, clusters as units."""
    above = placements(fold.clean.scores, fold.guarded.scores)
    below = 1 - placements(fold.guarded.scores, fold.clean.scores)
    value = float(above.mean())
    sides = ((above - value, fold.guarded.prompts), (below - value, fold.clean.prompts))
    return value, sum(_cluster_variance(centred, prompts) for centred, prompts in sides)


def placements(reference: Values, scores: Values) -> Values:
    """For each score, the share of `reference` below it, ties counted half."""
    ordered = np.sort(reference)
    left, right = np.searchsorted(ordered, scores, "left"), np.searchsorted(ordered, scores, "right")
    return np.asarray((left + right) / (2 * len(ordered)), dtype=np.float64)


def _cluster_variance(centred: Values, prompts: NDArray[np.int64]) -> float:
    sums, _ = _by_cluster(centred, prompts)
    clusters = len(sums)
    if clusters < 2:
        return 0.0
    return float(clusters / (clusters - 1) * (sums**2).sum() / len(centred) ** 2)


def _newcombe(value: float, n: int) -> tuple[float, float]:
    """Newcombe's (2006) method 5 for `n` independent traces on either side: solves |value - t| = z sd(t)."""
    from scipy.optimize import brentq

    def excess(t: float) -> float:
        inner = 1 + (n - 1) * ((1 - t) / (2 - t) + t / (1 + t))
        return abs(value - t) - Z95 * math.sqrt(t * (1 - t) * inner) / n

    low = 0.0 if value <= 0 else float(brentq(excess, 1e-9, value - 1e-9)) if excess(1e-9) > 0 else 0.0
    high = 1.0 if value >= 1 else float(brentq(excess, value + 1e-9, 1 - 1e-9)) if excess(1 - 1e-9) > 0 else 1.0
    return low, high


def _caught(clean: Values, guarded: Values, ours: Values, theirs: Values, rate: float) -> Values:
    """Weighted share of `guarded` above the lowest threshold that at most `rate` of the weighted `clean` exceed.

    Args:
        clean: scores, shape (c,).
        guarded: scores, shape (g,).
        ours: weights of `clean`, shape (resamples, c).
        theirs: weights of `guarded`, shape (resamples, g).
        rate: share of clean scores that may exceed the threshold.

    Returns:
        One share per resample.
    """
    falling = np.argsort(-clean, kind="stable")
    exceeding = np.cumsum(ours[:, falling], axis=1)
    allowed = rate * exceeding[:, -1:]
    thresholds = clean[falling[np.argmax(exceeding > allowed, axis=1)]]
    rising = np.argsort(guarded, kind="stable")
    not_above = np.searchsorted(guarded[rising], thresholds, "right")
    below = np.concatenate([np.zeros((len(theirs), 1)), np.cumsum(theirs[:, rising], axis=1)], axis=1)
    return np.asarray(1 - below[np.arange(len(theirs)), not_above] / below[:, -1], dtype=np.float64)


def _draws(sample: Sample, seed: int) -> Values:
    """How often each row is drawn when whole prompts are, shape (resamples, rows)."""
    codes = np.unique(sample.prompts, return_inverse=True)[1]
    return _resamples(int(codes.max()) + 1, seed)[:, codes]


def _by_cluster(values: Values, prompts: NDArray[np.int64]) -> tuple[Values, Values]:
    """Sum and number of the rows of each prompt."""
    codes = np.unique(prompts, return_inverse=True)[1]
    sums = np.asarray(np.bincount(codes, weights=values), dtype=np.float64)
    return sums, np.bincount(codes).astype(np.float64)


def _clusters(sample: Sample) -> int:
    return len(np.unique(sample.prompts))


def _resamples(clusters: int, seed: int) -> Values:
    """How often each cluster is drawn, shape (resamples, clusters)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(clusters, np.full(clusters, 1 / clusters), size=_RESAMPLES).astype(np.float64)
