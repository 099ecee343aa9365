"""What was measured: damage of every defense to every student, and what each defense costs.

Damage is the clean student's score minus the guarded student's, in any unit; a loss works as well, as long as more is worse for
the student.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TRAIN = "train"
VISIBILITY, AUROC = "visibility", "AUROC"
"""What visibility is called where nobody says how it was measured, and what it is on a scale with 0.5 for guessing."""


class Table(NamedTuple):
    """Measured cells with what is known of their error.

    Attributes:
        value: shape (rows, columns).
        error: standard errors, same shape; None if unknown.
        replicates: repeated measurements (seeds), shape (repeats, rows, columns); None if there are none.
    """

    value: Array
    error: Array | None = None
    replicates: Array | None = None


class Metric(NamedTuple):
    """A number per defense with its interval, each of shape (rows,); low = high = value where no interval is known."""

    value: Array
    low: Array
    high: Array


class Response(NamedTuple):
    """What an adversary may do to traces before training.

    Attributes:
        damage: damage that is left after it.
        cost: what it costs the adversary, in units of damage, shape (columns,).
    """

    damage: Table
    cost: Array


@dataclass(frozen=True, slots=True)
class Payoffs:
    """The measured game.

    Attributes:
        rows: defenses with their budgets.
        columns: student architectures.
        damage: damage to a student that trains on the traces as they are.
        metrics: visibility, utility and any other number per defense.
        prior: probability of each architecture, shape (columns,); None for the worst case.
        responses: filtering, laundering and the like, beside training on the traces as they are.
        visibility_name: what the metric `visibility` is, in words.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    damage: Table
    metrics: Mapping[str, Metric]
    prior: Array | None
    responses: Mapping[str, Response]
    visibility_name: str = VISIBILITY
