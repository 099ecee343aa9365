"""The game that payoffs, a prior and responses describe: what each kind of adversary can do, and what it costs whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from antidistill.theory.game.payoffs import TRAIN, Array, Payoffs, Table

_TIE = 1e-6


class Action(NamedTuple):
    """What an adversary does: trains this architecture on traces that it treated so."""

    column: str
    response: str

    def __str__(self) -> str:
        return self.column if self.response == TRAIN else f"{self.column} + {self.response}"


class Kind(NamedTuple):
    """A kind of adversary: its probability, and the numbers of the actions that it chooses from; kinds share no action."""

    probability: float
    actions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Game:
    """Defender against adversaries.

    Attributes:
        rows: the defender's pure commitments.
        actions: what adversaries can do.
        damage: what the defender gains, shape (rows, actions).
        cost: what an action costs the adversary beside the damage, shape (actions,).
        kinds: the adversaries; one that may do anything (worst case), or one per architecture (prior).
        tables: the measured tables behind `damage`, side by side.
    """

    rows: tuple[str, ...]
    actions: tuple[Action, ...]
    damage: Array
    cost: Array
    kinds: tuple[Kind, ...]
    tables: tuple[Table, ...]

    @property
    def zero_sum(self) -> bool:
        """True if adversaries lose what the defender gains and nothing else, up to a constant per kind."""
        return all(len(set(self.cost[list(kind.actions)])) == 1 for kind in self.kinds)

    def with_damage(self, damage: Array) -> Game:
        """The same game with other numbers."""
        return replace(self, damage=damage)

    def answers(self, weights: Array) -> list[int]:
        """What each kind does against a mixture of rows: it loses least, and in a tie it does what hurts it most."""
        damage = weights @ self.damage
        loss = damage + self.cost
        chosen = []
        for kind in self.kinds:
            actions = np.array(kind.actions)
            tied = actions[loss[actions] <= loss[actions].min() + _TIE * np.abs(self.damage).max()]
            chosen.append(int(tied[damage[tied].argmax()]))
        return chosen

    def value(self, weights: Array) -> float:
        """Expected damage of a mixture of rows when every kind gives its answer."""
        damage = weights @ self.damage
        return float(
            sum(kind.probability * damage[a] for kind, a in zip(self.kinds, self.answers(weights), strict=True))
        )

    def worst(self, weights: Array) -> float:
        """Least damage of a mixture of rows over all actions of all adversaries."""
        return float((weights @ self.damage).min())


def build(payoffs: Payoffs, prior: Array | None) -> Game:
    """The game against the worst case, or against a prior over the columns.

    Args:
        payoffs: what was measured.
        prior: probability of each column, shape (columns,); None for an adversary that may choose the column.
    """
    names = (TRAIN, *payoffs.responses)
    tables = (payoffs.damage, *(response.damage for response in payoffs.responses.values()))
    costs = [np.zeros(len(payoffs.columns)), *(response.cost for response in payoffs.responses.values())]
    actions = tuple(Action(column, name) for name in names for column in payoffs.columns)
    return Game(
        rows=payoffs.rows,
        actions=actions,
        damage=np.hstack([table.value for table in tables]),
        cost=np.concatenate(costs),
        kinds=_kinds(actions, payoffs.columns, prior),
        tables=tables,
    )


def _kinds(actions: tuple[Action, ...], columns: tuple[str, ...], prior: Array | None) -> tuple[Kind, ...]:
    if prior is None:
        return (Kind(1.0, tuple(range(len(actions)))),)
    return tuple(
        Kind(float(probability), tuple(number for number, action in enumerate(actions) if action.column == column))
        for column, probability in zip(columns, prior, strict=True)
        if probability > 0
    )
