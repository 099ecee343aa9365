"""Two samples of answers: smoothing, noise floors and intervals, against what simulation gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.anchors.resampling.distributions import answers_apart, counted, divergence, rates_apart

ANSWERS = st.lists(st.sampled_from(["1", "2", "3", None]), min_size=1, max_size=40)


@settings(deadline=None)
@given(ANSWERS, ANSWERS)
def test_divergence_is_finite_and_never_negative(first, second):
    apart = answers_apart(first, second)
    assert 0 <= apart.interval.low <= apart.interval.value <= apart.interval.high < np.inf
    assert apart.floor >= 0
    assert answers_apart(first, first).interval.value == 0


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=40), st.lists(st.booleans(), min_size=1, max_size=40))
def test_the_difference_of_two_rates_turns_its_sign_with_the_samples(first, second):
    apart, turned = rates_apart(first, second), rates_apart(second, first)
    assert apart.interval.value == pytest.approx(-turned.interval.value)
    assert -1 <= apart.interval.low <= apart.interval.value <= apart.interval.high <= 1


def test_one_unseen_answer_of_a_hundred_adds_little():
    counts = counted(["1"] * 99 + ["2"], ["1"] * 100)
    nothing = (counts[0] / 100 * np.log(np.maximum(counts[0] / 100, 1e-9) / np.maximum(counts[1] / 100, 1e-9))).sum()
    assert nothing > 0.15  # what next to no smoothing gives
    assert divergence(*counts) < 0.02


def test_no_answer_is_an_outcome_like_any_other():
    assert answers_apart([None] * 20, ["1"] * 20).interval.value > 2
    assert answers_apart([None] * 20, [None] * 20).interval.value == 0


def draws(shares, size, generator):
    return [str(place) for place in generator.choice(len(shares), size=size, p=shares)]


def test_noise_stays_below_its_floor_nineteen_times_in_twenty():
    generator = np.random.default_rng(1)
    shares = [0.5, 0.3, 0.1, 0.1]
    above, above_rate = 0, 0
    for seed in range(150):
        first, second = (draws(shares, size, generator) for size in (60, 100))
        kl = answers_apart(first, second, seed)
        above += kl.interval.value > kl.floor
        rate = rates_apart([answer == "0" for answer in first], [answer == "0" for answer in second], seed)
        above_rate += abs(rate.interval.value) > rate.floor
    assert 1 <= above <= 18  # 7.5 expected
    assert 1 <= above_rate <= 18


@pytest.mark.parametrize("others", [[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
def test_intervals_hold_the_true_divergence(others):
    generator = np.random.default_rng(2)
    shares = np.array([0.5, 0.3, 0.2])
    true = float((shares * np.log(shares / np.array(others))).sum())
    held = 0
    for seed in range(120):
        interval = answers_apart(draws(shares, 60, generator), draws(others, 60, generator), seed).interval
        held += interval.low <= true <= interval.high
    assert held >= 105  # 114 expected of a 95 % interval


def test_the_same_seed_gives_the_same():
    first, second = ["1", "2", None] * 5, ["1"] * 9
    assert answers_apart(first, second, 3) == answers_apart(first, second, 3)
    assert rates_apart([True, False], [True] * 4, 3) == rates_apart([True, False], [True] * 4, 3)
