"""Values and intervals: against scikit-learn, against the bootstrap, and by counting how often they cover."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_auc_score
from tests.measure.samples import folds_of

from antidistill.measure import intervals
from antidistill.measure.intervals import Fold, Interval, Sample

scores = arrays(np.float64, st.integers(3, 30), elements=st.integers(-5, 5).map(float))


@given(scores, scores)
def test_auroc_is_that_of_scikit_learn(clean, guarded):
    labels = np.repeat([0, 1], [len(clean), len(guarded)])
    expected = roc_auc_score(labels, np.concatenate([clean, guarded]))
    found = intervals.auroc(folds_of(clean, guarded))
    assert found.value == pytest.approx(expected)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(scores, scores, st.floats(-3, 3))
def test_auroc_does_not_compare_scores_of_different_folds(clean, guarded, shift):
    first = folds_of(clean, guarded)
    moved = folds_of(clean + shift, guarded + shift, first=100)
    assert intervals.auroc(first + moved).value == pytest.approx(intervals.auroc(first + first).value)


def test_the_interval_agrees_with_a_bootstrap():
    generator = np.random.default_rng(5)
    clean, guarded = generator.normal(size=150), generator.normal(0.8, 1.5, size=150)
    found = intervals.auroc(folds_of(clean, guarded))
    draws = [
        intervals.placements(generator.choice(clean, 150), generator.choice(guarded, 150)).mean() for _ in range(2000)
    ]
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])), abs=0.01)


def test_copies_of_a_prompt_do_not_narrow_the_interval():
    generator = np.random.default_rng(6)
    clean, guarded = generator.normal(size=40), generator.normal(0.7, size=40)
    once = intervals.auroc(folds_of(clean, guarded))
    prompts = np.repeat(np.arange(80), 5)
    fold = Fold(Sample(np.repeat(clean, 5), prompts[:200]), Sample(np.repeat(guarded, 5), prompts[200:]))
    assert intervals.auroc([fold]) == pytest.approx(once)


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.5])
def test_the_interval_covers_the_truth(shift):
    from scipy.stats import norm

    generator = np.random.default_rng(7)
    truth = norm.cdf(shift / np.sqrt(2))
    found = [
        intervals.auroc(folds_of(generator.normal(size=30), generator.normal(shift, size=30), folds=3))
        for _ in range(400)
    ]
    assert np.mean([one.low <= truth <= one.high for one in found]) > 0.92


@pytest.mark.parametrize(("clean", "guarded", "value"), [([0, 1, 2], [3, 4, 5], 1.0), ([3, 4, 5], [0, 1, 2], 0.0)])
def test_perfect_separation_is_no_certainty(clean, guarded, value):
    found = intervals.auroc(folds_of(clean, guarded))
    assert found.value == value
    assert 0.2 < found.high - found.low < 0.9


def test_equal_scores_are_guessing():
    found = intervals.auroc(folds_of(np.zeros(50), np.zeros(50)))
    assert found.value == 0.5
    assert found.low < 0.42
    assert found.high > 0.58


@given(arrays(np.float64, st.integers(3, 300), elements=st.integers(-9, 9).map(float)), scores)
@settings(max_examples=50, deadline=None)
def test_at_most_one_percent_of_the_clean_traces_are_accused(clean, guarded):
    found = intervals.true_positives(folds_of(clean, guarded))
    thresholds = [t for t in [*clean, clean.min() - 1] if np.mean(clean > t) <= 0.01]
    assert found.value == pytest.approx(np.mean(guarded > min(thresholds)))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_the_share_found_is_never_given_as_certain():
    found = intervals.true_positives(folds_of(np.zeros(100), np.ones(100)))
    assert found.value == 1
    assert 0.9 < found.low < 0.99


def test_the_mean_covers_the_truth_with_prompts_as_clusters():
    generator = np.random.default_rng(8)
    prompts = np.repeat(np.arange(40), 5)
    covered = 0
    for _ in range(200):
        values = np.repeat(generator.normal(size=40), 5) + 0.1 * generator.normal(size=200)
        found = intervals.mean(values, prompts)
        covered += found.low <= 0 <= found.high
    assert covered / 200 > 0.88


@given(arrays(np.float64, st.integers(2, 40), elements=st.floats(-100, 100)))
@settings(max_examples=30, deadline=None)
def test_mean_and_deviation_are_those_of_numpy(values):
    prompts = np.arange(len(values))
    assert intervals.mean(values, prompts).value == pytest.approx(values.mean())
    spread = intervals.deviation(values, prompts)
    assert spread.value == pytest.approx(values.std())
    assert spread.low <= spread.high


def test_wilson_is_the_published_interval():
    assert intervals.wilson(0.1, 20) == pytest.approx((0.0279, 0.3010), abs=1e-3)  # 2 of 20: Newcombe 1998
    assert intervals.wilson(1.0, 10) == pytest.approx((0.7225, 1.0), abs=1e-3)


def test_averaging_takes_the_mean_of_each_bound():
    found = intervals.averaged([Interval(0.5, 0.4, 0.6), Interval(0.7, 0.6, 0.9)])
    assert found == pytest.approx(Interval(0.6, 0.5, 0.75))
