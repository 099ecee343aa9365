"""Strong Stackelberg commitments of general games."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.theory.game.commit import mixed
from antidistill.theory.game.payoffs import Table
from antidistill.theory.game.players import Action, Game, Kind

NO_LIMITS = np.zeros((0, 2))
GRID = np.linspace(0, 1, 2001)


def game(damage, cost, kinds=None):
    damage = np.array(damage, dtype=float)
    actions = tuple(Action(f"c{number}", "train") for number in range(damage.shape[1]))
    rows = tuple(f"r{number}" for number in range(len(damage)))
    kinds = kinds or (Kind(1.0, tuple(range(len(actions)))),)
    return Game(rows, actions, damage, np.array(cost, dtype=float), kinds, (Table(damage),))


def test_commitment_buys_what_the_worst_case_cannot():
    """The second action hurts less but costs too much: the defender steers the adversary to the first."""
    found = mixed(game([[1, 3], [5, 0]], [0, 2]), NO_LIMITS)
    assert found.optimum.weights == pytest.approx([3 / 7, 4 / 7], abs=1e-6)
    assert found.optimum.value == pytest.approx(23 / 7, abs=1e-6)
    assert found.answers.tolist() == [1.0, 0.0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(-9, 9), min_size=4, max_size=4), min_size=2, max_size=2),
    st.lists(st.integers(0, 6), min_size=4, max_size=4),
    st.booleans(),
)
def test_no_commitment_on_a_grid_does_better(damage, cost, two_kinds):
    kinds = (Kind(0.3, (0, 1)), Kind(0.7, (2, 3))) if two_kinds else None
    played = game(damage, cost, kinds)
    found = mixed(played, NO_LIMITS)
    assert played.value(found.optimum.weights) == pytest.approx(found.optimum.value, abs=1e-4)
    best = max(played.value(np.array([1 - share, share])) for share in GRID)
    assert best <= found.optimum.value + 1e-4


def test_limits_hold_for_steered_adversaries_too():
    visibility = np.array([[0.5 - 0.52, 0.6 - 0.52]])
    found = mixed(game([[1, 3], [5, 0]], [0, 2]), visibility)
    assert found.optimum.weights[1] <= 0.2 + 1e-9
