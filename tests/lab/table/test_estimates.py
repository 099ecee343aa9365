"""Estimates over seeds and questions: exact on simple tables, and their intervals cover."""

import numpy as np
import pytest

from antidistill.lab.table.estimates import estimates, ratio, within
from antidistill.trace import Estimate


def test_the_value_is_the_mean_and_n_the_questions():
    found = estimates("x", {"a": np.array([[1.0, 0.0], [1.0, 1.0]])})["a"]
    assert found.value == 0.75
    assert found.n == 2
    assert found.low < 0.75 < found.high


def test_questions_that_all_agree_leave_the_doubt_of_three_in_their_number():
    found = estimates("x", {"a": np.ones((1, 50)), "b": np.zeros((1, 50))})
    assert (found["a"].low, found["a"].high) == pytest.approx((0.94, 1.06), abs=1e-4)
    assert (found["b"].low, found["b"].high) == pytest.approx((-0.06, 0.06), abs=1e-4)
    three = estimates("x", {"a": np.ones((3, 50))})["a"]
    assert three.low < 0.94, "two degrees of freedom"
    tokens = estimates("x", {"a": np.full((3, 50), 7.0)}, "tokens")["a"]
    assert (tokens.low, tokens.high) == (7.0, 7.0)


def test_intervals_cover_what_seeds_and_questions_vary():
    generator = np.random.default_rng(0)
    hits = []
    for _ in range(400):
        tables = {}
        for row in range(4):
            seeds = generator.normal(0, 0.05, (3, 1))
            questions = generator.normal(0, 0.4, (1, 100))
            tables[str(row)] = 0.2 * row + seeds + questions + generator.normal(0, 0.2, (3, 100))
        found = estimates("x", tables)
        hits += [found[str(row)].low <= 0.2 * row <= found[str(row)].high for row in range(4)]
    assert 0.93 <= np.mean(hits) <= 0.995


def test_one_seed_counts_questions_only():
    table = np.array([[1.0, 0.0, 1.0, 0.0] * 25])
    found = estimates("x", {"a": table})["a"]
    assert found.high - found.value == pytest.approx(1.96 * table.var(ddof=1) ** 0.5 / 10, rel=1e-3)


def test_accuracy_is_finished_times_accuracy_of_the_finished():
    generator = np.random.default_rng(1)
    finished = (generator.random((2, 50)) < 0.7).astype(float)
    right = finished * (generator.random((2, 50)) < 0.5)
    share = ratio("x", {"a": right}, {"a": finished})["a"]
    assert share.value * finished.mean() == pytest.approx(right.mean())
    assert share.low < share.value < share.high


def test_nothing_finished_has_no_accuracy():
    found = ratio("x", {"a": np.zeros((1, 4))}, {"a": np.zeros((1, 4))})["a"]
    assert np.isnan(found.value)
    assert np.isnan(found.low)


def test_a_share_stays_a_share():
    cut = within(Estimate("x", 0.99, 0.9, 1.1, 5))
    assert (cut.low, cut.high) == (0.9, 1.0)
