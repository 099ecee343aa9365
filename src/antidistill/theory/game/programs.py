"""The linear program behind every commitment, and what a limit is worth in it.

    maximise  sum_t p_t v_t   over mixtures x of rows,   v_t <= x . D[:, a] for each action a of kind t,   E x <= 0

Every limit `a . x <= b` is a row `a - b` of E, since x adds up to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, linprog

from antidistill.errors import PayoffError
from antidistill.theory.game.payoffs import Array
from antidistill.theory.game.players import Kind

_INFEASIBLE, _UNBOUNDED = 2, 3
_FACE = 1e-9
_DUST = 1e-6


class Program(NamedTuple):
    """Data of the linear program.

    Attributes:
        damage: D, shape (rows, actions).
        kinds: kinds of adversaries, their actions are columns of `damage`.
        excess: E, shape (constraints, rows).
    """

    damage: Array
    kinds: Sequence[Kind]
    excess: Array


class Optimum(NamedTuple):
    """Best mixture of rows (shape (rows,)), its value, and the weight of each action in the dual (shape (actions,))."""

    weights: Array
    value: float
    answers: Array


class Price(NamedTuple):
    """What one unit of a limit is worth in damage: gained by widening it, lost by narrowing it.

    Attributes:
        wider: damage gained per unit of widening.
        narrower: damage lost per unit of narrowing, above `wider` at a corner; None where the limit cannot be narrowed at all,
            and for single defenses.
        step: for single defenses, the width at which the gain is had; None for mixtures, which gain at once.
    """

    wider: float
    narrower: float | None
    step: float | None = None


def optimum(program: Program) -> Optimum | None:
    """The best mixture, or None if none keeps the constraints."""
    damage, excess, scale, _ = _scaled(program)
    rows, actions = damage.shape
    kinds = len(program.kinds)
    owner = _owners(program.kinds, actions)
    caps = np.hstack([-damage.T, owner])
    limits = np.hstack([excess, np.zeros((len(excess), kinds))])
    gain = np.concatenate([np.zeros(rows), [kind.probability for kind in program.kinds]])
    solved = _solve(
        -gain,
        np.vstack([caps, limits]),
        np.zeros(actions + len(excess)),
        np.concatenate([np.ones(rows), np.zeros(kinds)])[None],
        np.ones(1),
        [(0, None)] * rows + [(None, None)] * kinds,
    )
    if solved.status == _INFEASIBLE:
        return None
    weights = np.clip(solved.x[:rows], 0, None)
    return Optimum(weights / weights.sum(), -solved.fun * scale, -solved.ineqlin.marginals[:actions])


def price(program: Program, value: float, constraint: int) -> Price:
    """What one constraint of a solved program is worth: the ends of its dual variable over all dual optima.

    A solver returns one of them, which can be an end that is never paid.
    """
    damage, excess, scale, sizes = _scaled(program)
    rows, actions = damage.shape
    covered = np.hstack([damage, -excess.T, -np.ones((rows, 1))])
    face = np.zeros(covered.shape[1])
    face[-1] = 1
    owner = _owners(program.kinds, actions)
    equal = np.hstack([owner.T, np.zeros((len(program.kinds), len(excess) + 1))])
    target = np.zeros(covered.shape[1])
    target[actions + constraint] = 1
    free = [(0, None)] * (actions + len(excess)) + [(None, None)]
    tables = (
        np.vstack([covered, face]),
        np.append(np.zeros(rows), value / scale + _FACE),
        equal,
        np.array([kind.probability for kind in program.kinds]),
        free,
    )
    unit = scale / float(sizes[constraint])
    wider, narrower = _solve(target, *tables), _solve(-target, *tables)
    gained = _dusted(wider.fun) * unit
    return Price(gained, None if narrower.status == _UNBOUNDED else max(gained, _dusted(-narrower.fun) * unit))


def _dusted(price: float) -> float:
    """The price of the scaled program without the solver's rounding."""
    return float(price) if price > _DUST else 0.0


def _scaled(program: Program) -> tuple[Array, Array, float, Array]:
    """Damage and constraints with largest entry 1, and what they were divided by: the solver's tolerances are absolute."""
    scale = float(np.abs(program.damage).max()) or 1.0
    sizes = np.abs(program.excess).max(axis=1, initial=0)
    sizes[sizes == 0] = 1.0
    return program.damage / scale, program.excess / sizes[:, None], scale, sizes


def _owners(kinds: Sequence[Kind], actions: int) -> Array:
    """1 where an action belongs to a kind, shape (actions, kinds)."""
    owner = np.zeros((actions, len(kinds)))
    for number, kind in enumerate(kinds):
        owner[list(kind.actions), number] = 1
    return owner


def _solve(
    cost: Array, left: Array, right: Array, equal: Array, equals: Array, bounds: Sequence[tuple[int | None, None]]
) -> OptimizeResult:
    solved = linprog(cost, A_ub=left, b_ub=right, A_eq=equal, b_eq=equals, bounds=bounds, method="highs")
    if solved.status not in (0, _INFEASIBLE, _UNBOUNDED):
        raise PayoffError(f"the linear program of this table cannot be solved ({solved.message}); scale its numbers.")
    return solved
