"""How many traces an adversary needs to tell a guarded pile from a clean one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from antidistill.measure.intervals import Fold, Interval, Sample, Values, averaged

Z_FALSE_ALARM = 2.3263478740408408
Z_POWER = 1.6448536269514722
_RESAMPLES = 1000
_NO_OVERLAP = 1e3
"""Separation of scores that do not vary at all: far more than one trace needs."""


def traces_to_detect(repeats: Sequence[Sequence[Fold]], seed: int = 0) -> Interval:
    """Traces of one kind that tell a guarded pile from a clean one with 95 % power at 1 % false alarms.

    The adversary averages a detector's score over the pile and raises the alarm above the 99th percentile of that average
    for clean piles. By the central limit theorem 95 % of the guarded piles exceed it from

        N = ((z_.99 sd_clean + z_.95 sd_guarded) / (mean_guarded - mean_clean))^2

    traces on. Means are compared within folds, since each fold has a model of its own. The interval is a bootstrap over
    prompts of the separation d = 1 / sqrt(N), with the scores held fixed; where d may be zero or less the bound is infinite:
    the pile cannot be told apart by this detector. Never less than one trace.

    Args:
        repeats: folds of each repeated cross-fitting.
        seed: of the bootstrap.

    Returns:
        Whole numbers of traces, at least 1; `inf` for "no number is enough".
    """
    found = averaged([_separation(folds, seed) for folds in repeats])
    return Interval(_traces(found.value), _traces(found.high), _traces(found.low))


def _traces(separation: float) -> float:
    return float(max(1, math.ceil(separation**-2 - 1e-9))) if separation > 0 else math.inf


def _separation(folds: Sequence[Fold], seed: int) -> Interval:
    clean, guarded = _centred(folds)
    generator = np.random.default_rng(seed)
    drawn = [_distance(_resample(clean, generator), _resample(guarded, generator)) for _ in range(_RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(_distance(clean.scores, guarded.scores), float(low), float(high))


def _centred(folds: Sequence[Fold]) -> Fold:
    """All folds as one, each shifted so that its clean mean is zero."""
    shifts = [fold.clean.scores.mean() for fold in folds]
    sides = []
    for side in ("clean", "guarded"):
        samples = [getattr(fold, side) for fold in folds]
        scores = np.concatenate([sample.scores - shift for sample, shift in zip(samples, shifts, strict=True)])
        sides.append(Sample(scores, np.concatenate([sample.prompts for sample in samples])))
    return Fold(*sides)


def _distance(clean: Values, guarded: Values) -> float:
    noise = Z_FALSE_ALARM * float(clean.std()) + Z_POWER * float(guarded.std())
    gain = float(guarded.mean() - clean.mean())
    return gain / noise if noise > 0 else float(np.sign(gain)) * _NO_OVERLAP


def _resample(sample: Sample, generator: np.random.Generator) -> Values:
    names, codes = np.unique(sample.prompts, return_inverse=True)
    counts = np.bincount(generator.integers(len(names), size=len(names)), minlength=len(names))
    return np.repeat(sample.scores, counts[codes])
