"""How many traces give a pile away: against simulated piles, and at the limits."""

import math

import numpy as np
import pytest
from scipy.stats import norm
from tests.measure.samples import folds_of

from antidistill.measure.pile import traces_to_detect


def scores(shift, size=3000, seed=1):
    """Skewed scores, as detectors give them."""
    generator = np.random.default_rng(seed)
    return generator.gamma(4, 0.5, size), generator.gamma(4, 0.5, size) * 1.1 + shift


@pytest.mark.parametrize("shift", [0.1, 0.3])
def test_piles_of_that_size_are_told_apart_and_smaller_ones_are_not(shift):
    clean, guarded = scores(shift)
    needed = int(traces_to_detect([folds_of(clean, guarded)]).value)
    assert power(clean, guarded, needed) == pytest.approx(0.95, abs=0.03)
    assert power(clean, guarded, needed // 3) < 0.85


def power(clean, guarded, pile):
    """Share of guarded piles above the 99th percentile of clean piles, drawn at random."""
    generator = np.random.default_rng(2)
    ours, theirs = (generator.choice(side, (20_000, pile)).mean(axis=1) for side in (clean, guarded))
    return np.mean(theirs > np.quantile(ours, 0.99))


def test_the_closed_form_for_normal_scores():
    clean = norm.ppf((np.arange(2000) + 0.5) / 2000)
    found = traces_to_detect([folds_of(clean, clean * 1.5 + 0.2)])
    assert found.value == pytest.approx(((norm.ppf(0.99) + 1.5 * norm.ppf(0.95)) / 0.2) ** 2, rel=0.01)
    assert found.low < found.value < found.high


def test_scales_of_different_folds_do_not_matter():
    clean, guarded = scores(0.3)
    alone = traces_to_detect([folds_of(clean, guarded)])
    halves = folds_of(clean, guarded, folds=2)
    moved = [halves[0], *folds_of(halves[1].clean.scores + 50, halves[1].guarded.scores + 50, first=10_000)]
    assert traces_to_detect([moved]).value == pytest.approx(alone.value, rel=0.05)


def test_no_number_is_enough_where_nothing_differs():
    clean, _ = scores(0)
    assert traces_to_detect([folds_of(clean, clean)]).value == math.inf
    assert traces_to_detect([folds_of(clean, scores(0, seed=9)[0] * 0.9)]).high == math.inf


def test_one_trace_is_enough_where_nothing_overlaps():
    assert traces_to_detect([folds_of(np.zeros(30), np.ones(30))]).value == 1
