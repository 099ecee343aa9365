"""The best commitment of a game: mixed in a zero-sum game, strong Stackelberg where adversaries pay for what they do, or pure.

Equation (1) of arXiv 2604.23238 is the zero-sum game against one adversary that may do anything; its Bayesian relaxation, (5) and
(6), is the same game against one kind per architecture. Strong Stackelberg: Conitzer and Sandholm, "Computing the optimal
strategy to commit to" (2006).
"""

from __future__ import annotations

import math
from itertools import product
from typing import NamedTuple

import numpy as np

from antidistill.errors import UsageError
from antidistill.theory.game.payoffs import Array
from antidistill.theory.game.players import Game, Kind
from antidistill.theory.game.programs import Optimum, Program, optimum

MAX_PROGRAMS = 4096
KEPT = 1e-9


class Best(NamedTuple):
    """The best mixture, the linear program that it came from, and the weight of each action of the game against it."""

    optimum: Optimum
    program: Program
    answers: Array


def programs_of(game: Game) -> int:
    """Linear programs that one solution takes."""
    return 1 if game.zero_sum else math.prod(len(kind.actions) for kind in game.kinds)


def mixed(game: Game, excess: Array) -> Best | None:
    """The best mixture of rows under `excess` (shape (limits, rows)), or None if no mixture keeps the limits."""
    if not game.zero_sum:
        return _stackelberg(game, excess)
    program = Program(game.damage, game.kinds, excess)
    found = optimum(program)
    return None if found is None else Best(found, program, found.answers)


def pure(game: Game, excess: Array) -> Array | None:
    """The best single row that keeps the limits, as weights, or None if no row does."""
    kept = [row for row in np.eye(len(game.rows)) if keeps(excess, row)]
    return max(kept, key=game.value, default=None)


def keeps(excess: Array, weights: Array) -> bool:
    """True if this mixture keeps all limits, up to rounding."""
    return bool((excess @ weights <= KEPT * (1 + np.abs(excess).max(initial=0))).all())


def _stackelberg(game: Game, excess: Array) -> Best | None:
    """One program for each combination of answers: the best mixture that makes just these answers the best ones."""
    count = programs_of(game)
    if count > MAX_PROGRAMS:
        raise UsageError(
            f"{len(game.kinds)} kinds of adversaries with their responses need {count} linear programs, at most {MAX_PROGRAMS} "
            "are solved: take out students or responses, or solve the worst case without a prior."
        )
    best: Best | None = None
    for answers in product(*(kind.actions for kind in game.kinds)):
        program = _inducing(game, answers, excess)
        found = optimum(program)
        if found is not None and (best is None or found.value > best.optimum.value + KEPT):
            best = Best(found, program, _weights(game, answers))
    return best


def _inducing(game: Game, answers: tuple[int, ...], excess: Array) -> Program:
    loss = game.damage + game.cost
    preferred = [
        loss[:, answer] - loss[:, other]
        for kind, answer in zip(game.kinds, answers, strict=True)
        for other in kind.actions
        if other != answer
    ]
    expected = game.damage @ _weights(game, answers)
    return Program(expected[:, None], (Kind(1.0, (0,)),), np.vstack([excess, *preferred]))


def _weights(game: Game, answers: tuple[int, ...]) -> Array:
    weights = np.zeros(len(game.actions))
    for kind, answer in zip(game.kinds, answers, strict=True):
        weights[answer] += kind.probability
    return weights
