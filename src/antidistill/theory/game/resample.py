"""How sure a commitment is: the same game with payoffs that were measured again.

Replicates are drawn with replacement and keep what cells of one replicate have in common; their deviations are widened by
sqrt(n / (n - 1)), because few replicates understate the spread. Standard errors are drawn from normal laws, each cell for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from antidistill.theory.game.commit import mixed, programs_of, pure
from antidistill.theory.game.payoffs import Array, Table
from antidistill.theory.game.players import Game

SOLVES = 200
_PROGRAMS = 1000
_FEWEST = 20
_LOW, _HIGH = 0.025, 0.975


class Interval(NamedTuple):
    """95 % interval; None where the payoffs carry no error."""

    low: float | None
    high: float | None


def interval(game: Game, weights: Array, samples: int, seed: int) -> Interval:
    """Interval of the damage of a fixed mixture of rows.

    The low end lets adversaries answer each resampled game, which is cautious where several answers are nearly as good. The high
    end keeps the answers that they give to the estimates.
    """
    damages = [weights @ sample for sample in _samples(game, samples, seed)]
    if not damages:
        return Interval(None, None)
    damage = np.array(damages)
    fixed = np.array(game.answers(weights))
    shares = np.array([kind.probability for kind in game.kinds])
    answered = np.stack([_answered(damage, game.cost, np.array(kind.actions)) for kind in game.kinds], axis=1) @ shares
    return Interval(float(np.quantile(answered, _LOW)), float(np.quantile(damage[:, fixed] @ shares, _HIGH)))


def chosen(game: Game, excess: Array, only_pure: bool, samples: int, seed: int) -> dict[str, float] | None:
    """Mean weight of each row when the resampled games are solved anew: 1 is always chosen, 0 never.

    None where the payoffs carry no error, or where too many programs would have to be solved.
    """
    solves = min(samples, SOLVES if only_pure else min(SOLVES, _PROGRAMS // programs_of(game)))
    if solves < _FEWEST:
        return None
    weights = [_solution(game.with_damage(sample), excess, only_pure) for sample in _samples(game, solves, seed)]
    return dict(zip(game.rows, np.mean(weights, axis=0).tolist(), strict=True)) if weights else None


def _solution(game: Game, excess: Array, only_pure: bool) -> Array:
    if only_pure:
        row = pure(game, excess)
        assert row is not None
        return row
    best = mixed(game, excess)
    assert best is not None
    return best.optimum.weights


def _answered(damage: Array, cost: Array, actions: Array) -> Array:
    """Damage of the action that costs this kind least, per sample; `damage` has shape (samples, actions)."""
    best = actions[(damage + cost)[:, actions].argmin(axis=1)]
    taken: Array = np.take_along_axis(damage, best[:, None], axis=1)[:, 0]
    return taken


def _samples(game: Game, samples: int, seed: int) -> Iterator[Array]:
    """Damage tables that might have been measured, shape (rows, actions) each; none where nothing is known of the errors."""
    if all(table.error is None and table.replicates is None for table in game.tables):
        return
    random = np.random.default_rng(seed)
    for _ in range(samples):
        choice = random.random(max([0, *(len(t.replicates) for t in game.tables if t.replicates is not None)]))
        yield np.hstack([_again(table, choice, random) for table in game.tables])


def _again(table: Table, choice: Array, random: np.random.Generator) -> Array:
    if table.replicates is not None:
        n = len(table.replicates)
        drawn = table.replicates[(choice[:n] * n).astype(int)].mean(axis=0) - table.replicates.mean(axis=0)
        again: Array = table.value + drawn * np.sqrt(n / (n - 1))
        return again
    return table.value if table.error is None else random.normal(table.value, table.error)
