"""Intervals cover what they promise."""

import numpy as np
import pytest

from antidistill.theory.game import parse, solve
from antidistill.theory.game.commit import mixed
from antidistill.theory.game.players import build
from antidistill.theory.game.resample import interval

TRUTH = np.array([[0.0, 0.0, 0.0], [4.0, 3.0, 1.0], [1.0, 2.0, 3.0]])
ERROR = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]])
NAMES = {"rows": ["none", "one", "two"], "columns": ["a", "b", "c"]}


def measured(seed):
    damage = np.random.default_rng(seed).normal(TRUTH, ERROR)
    return parse(NAMES | {"damage": damage.tolist(), "standard_errors": ERROR.tolist()})


def best_and_interval(payoffs, samples):
    """The best mixture of the measured game, and its interval."""
    game = build(payoffs, None)
    weights = mixed(game, np.zeros((0, len(game.rows)))).optimum.weights
    return weights, interval(game, weights, samples, seed=0)


def test_the_interval_covers_what_the_commitment_really_does():
    """Rows are chosen on the same noisy numbers, as a user does it."""
    covered = 0
    for seed in range(150):
        weights, ends = best_and_interval(measured(seed), samples=300)
        covered += ends.low <= (weights @ TRUTH).min() <= ends.high
    assert covered >= 135


def test_replicates_keep_what_their_cells_share():
    """Seeds that shift both students alike leave the difference of two defenses as sure as it is."""
    shifts = np.array([-1.0, 0.0, 1.0])
    replicates = TRUTH + shifts[:, None, None]
    solution = solve(parse(NAMES | {"replicates": replicates.tolist()}))
    assert solution.value == pytest.approx(2.2)
    assert solution.low < 2.2 - 0.8
    assert solution.high > 2.2 + 0.8
    assert solution.chosen["one"] == pytest.approx(0.4)
    assert solution.chosen["two"] == pytest.approx(0.6)


def test_few_replicates_do_not_understate_the_spread():
    """Mean of three normal measurements: the spread of the resampled means is that of the mean, sd / sqrt(3)."""
    widths = []
    for seed in range(150):
        replicates = np.random.default_rng(seed).normal(0, 1, (3, 1, 1))
        _, ends = best_and_interval(
            parse({"rows": ["r"], "columns": ["c"], "replicates": replicates.tolist()}), samples=200
        )
        widths.append((ends.high - ends.low) ** 2)
    assert np.sqrt(np.mean(widths)) > 2 * 1.96 / np.sqrt(3) * 0.85


def test_responses_are_resampled_with_their_own_errors():
    filtered = {"damage": [[0, 0, 0], [2, 2, 1], [1, 1, 2]], "standard_errors": (2 * ERROR).tolist()}
    exact = parse(NAMES | {"damage": TRUTH.tolist(), "responses": {"filter": filtered}})
    solution = solve(exact)
    assert solution.low < solution.value < solution.high


def test_an_adversary_that_may_switch_widens_the_low_end():
    """It is indifferent at the commitment, so with other numbers it filters."""
    errors = [[0.0], [1.0]]
    payoffs = parse(
        {
            "rows": ["none", "one"],
            "columns": ["a"],
            "damage": [[0], [10]],
            "standard_errors": errors,
            "responses": {"filter": {"damage": [[0], [0]], "cost": 4}},
        }
    )
    solution = solve(payoffs)
    assert solution.value == pytest.approx(4, abs=1e-4)
    assert solution.low == pytest.approx(0, abs=1e-6)
    assert solution.high > 4


def test_the_same_seed_gives_the_same_interval():
    first, again, other = (solve(measured(1), seed=seed) for seed in (5, 5, 6))
    assert first == again
    assert first.low != other.low


def test_without_errors_there_is_no_interval():
    solution = solve(parse(NAMES | {"damage": TRUTH.tolist()}))
    assert solution.low is solution.high is solution.chosen is None
    assert solution.commitment == pytest.approx({"one": 0.4, "two": 0.6})
