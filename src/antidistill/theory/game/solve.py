"""Solves the game of a payoff table under limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from antidistill.theory.game import limits as limit_rules
from antidistill.theory.game.commit import KEPT, keeps, mixed, pure
from antidistill.theory.game.limits import Limit
from antidistill.theory.game.payoffs import Array, Payoffs
from antidistill.theory.game.players import Game, build
from antidistill.theory.game.programs import Price, price
from antidistill.theory.game.resample import chosen, interval
from antidistill.theory.game.solution import Single, Solution

SAMPLES = 2000
_VISIBLE_WEIGHT = 1e-7


class _Found(NamedTuple):
    weights: Array
    against: Array
    prices: list[Price]


def solve(
    payoffs: Payoffs,
    limits: Sequence[Limit] = (),
    *,
    prior: Array | None = None,
    only_pure: bool = False,
    cautious: bool = False,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Solution:
    """The best commitment that keeps the limits.

    Args:
        payoffs: what was measured; its own `prior` is not used.
        limits: limits on metrics of the payoffs, one per metric.
        prior: probability of each column, shape (columns,); None for the worst case.
        only_pure: commit to a single defense.
        cautious: let limits count the bad end of each metric's interval.
        samples: resampled games behind the interval; at most 200 of them are solved anew.
        seed: seed of the resampling.

    Raises:
        NoCommitment: nothing keeps the limits.
        UnknownName: a limit on a metric that the payoffs do not hold.
        BadOption: two limits on one metric, or a bound that is not finite.
    """
    limit_rules.check(limits)
    game = build(payoffs, prior)
    excess = np.array([limit.excess(payoffs, cautious) for limit in limits]).reshape(len(limits), len(game.rows))
    single = pure(game, excess)
    found = _pure(game, excess, single) if only_pure else _mixed(game, excess)
    if found is None:
        raise limit_rules.refusal(limits, excess, game.rows, only_pure)
    ends = interval(game, found.weights, samples, seed)
    return Solution(
        commitment=_named(game.rows, found.weights),
        value=game.value(found.weights),
        low=ends.low,
        high=ends.high,
        worst_case=game.worst(found.weights),
        against=_named([str(action) for action in game.actions], found.against),
        limits=tuple(limits),
        reached={limit.metric: float(found.weights @ payoffs.metrics[limit.metric].value) for limit in limits},
        counted={limit.metric: _counted(limit, row, found.weights) for limit, row in zip(limits, excess, strict=True)},
        prices={limit.metric: price for limit, price in zip(limits, found.prices, strict=True)},
        single=None if single is None else Single(game.rows[int(single.argmax())], game.value(single)),
        chosen=chosen(game, excess, only_pure, samples, seed),
        has_prior=prior is not None,
    )


def _counted(limit: Limit, excess: Array, weights: Array) -> float:
    """What the limit counts of the mixture: the weights add up to 1, so the bound comes back off the excess."""
    return limit.bound + (-1 if limit.at_least else 1) * float(excess @ weights)


def _mixed(game: Game, excess: Array) -> _Found | None:
    best = mixed(game, excess)
    if best is None:
        return None
    prices = [price(best.program, best.optimum.value, number) for number in range(len(excess))]
    return _Found(best.optimum.weights, best.answers, prices)


def _pure(game: Game, excess: Array, row: Array | None) -> _Found | None:
    if row is None:
        return None
    against = np.zeros(len(game.actions))
    for kind, answer in zip(game.kinds, game.answers(row), strict=True):
        against[answer] += kind.probability
    return _Found(row, against, [_step(game, excess, row, number) for number in range(len(excess))])


def _step(game: Game, excess: Array, row: Array, limit: int) -> Price:
    """Most damage per unit that a single other defense offers once this limit alone is widened until it keeps it."""
    others = np.delete(excess, limit, axis=0)
    steps = [Price(0.0, None)]
    for other in np.eye(len(game.rows)):
        width = float(excess[limit] @ other)
        gain = game.value(other) - game.value(row)
        if width > KEPT and gain > 0 and keeps(others, other):
            steps.append(Price(gain / width, None, width))
    return max(steps, key=lambda price: price.wider)


def _named(names: Sequence[str], weights: Array) -> dict[str, float]:
    return {name: float(weight) for name, weight in zip(names, weights, strict=True) if weight > _VISIBLE_WEIGHT}
