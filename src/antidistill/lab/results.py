"""From cells to the table: accuracies, damage, visibility, and the payoffs of the game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from antidistill.distill import Evaluation, Outcome
from antidistill.lab.methods import ANSWER, CLEAN, CONTROLS, PLAIN
from antidistill.lab.table.calibration import Calibration
from antidistill.lab.table.estimates import Table, estimates, ratio, within
from antidistill.theory.game.payoffs import AUROC
from antidistill.trace import Estimate

Cells = Mapping[str, Sequence[Evaluation]]
"""Method -> what one student answered with each seed."""


class Learnt(NamedTuple):
    """What one student learned from each method in one world; all by method.

    Attributes:
        accuracy: right and finished.
        accuracy_by_seed: the same for each student alone.
        finished: ended the text itself.
        accuracy_of_finished: accuracy = finished x this, exactly.
        says_marker: outputs with a marker sentence.
        marker_rate: marker sentences per sentence.
        tokens: tokens written.
        damage: clean student's accuracy minus this one's, same seeds and questions.
    """

    accuracy: Mapping[str, Estimate]
    accuracy_by_seed: Mapping[str, list[float]]
    finished: Mapping[str, Estimate]
    accuracy_of_finished: Mapping[str, Estimate]
    says_marker: Mapping[str, Estimate]
    marker_rate: Mapping[str, Estimate]
    tokens: Mapping[str, Estimate]
    damage: Mapping[str, Estimate]

    def of(self, method: str) -> dict[str, Any]:
        """The numbers of one method as JSON."""
        found = {name: getattr(self, name)[method] for name in self._fields if method in getattr(self, name)}
        return {name: value.to_json() if isinstance(value, Estimate) else value for name, value in found.items()}


def learnt(cells: Cells) -> Learnt:
    """Estimates of one student in one world, with the seeds of all methods pooled (`estimates`)."""
    accuracy = _tables(cells, lambda outcome: outcome.correct)
    finished = _tables(cells, lambda outcome: outcome.finished)
    says = _tables(cells, lambda outcome: outcome.markers > 0)
    clean = accuracy[CLEAN]
    lost = {method: clean - table for method, table in accuracy.items() if method != CLEAN}
    return Learnt(
        accuracy=_shares("accuracy", accuracy),
        accuracy_by_seed={method: table.mean(axis=1).tolist() for method, table in accuracy.items()},
        finished=_shares("finished", finished),
        accuracy_of_finished=_cut(ratio("accuracy of finished", accuracy, finished)),
        says_marker=_shares("says marker", says),
        marker_rate=_cut(
            ratio(
                "marker rate",
                _tables(cells, lambda outcome: outcome.markers),
                _tables(cells, lambda outcome: outcome.sentences),
            )
        ),
        tokens=estimates("tokens", _tables(cells, lambda outcome: outcome.tokens), "tokens"),
        damage=estimates("damage", lost) if lost else {},
    )


def calibration(teacher: Estimate, found: Learnt) -> Calibration:
    """The calibration of one student in one world from its controls."""
    return Calibration(
        teacher, found.accuracy[CLEAN], found.accuracy[ANSWER], found.damage[ANSWER], found.damage[PLAIN]
    )


def payoffs(
    students: Mapping[str, Learnt], methods: Sequence[str], rows: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """One world as the file that `antidistill game` reads: damage in points of accuracy, visibility, teacher accuracy.

    Visibility is the AUROC of the detector that each fold chose on its training traces.
    """
    compared = [method for method in methods if method not in CONTROLS]
    return {
        "rows": compared,
        "columns": list(students),
        "damage": [[_points(one.damage.get(method)) for one in students.values()] for method in compared],
        "visibility_name": AUROC,
        "visibility": {method: rows[method]["visibility"]["chosen_in_training"] for method in compared},
        "utility": {method: rows[method]["teacher"] for method in compared},
    }


def _points(damage: Estimate | None) -> dict[str, float | int] | int:
    """Damage in points; the clean row loses nothing by definition."""
    if damage is None:
        return 0
    ends = {name: 100 * getattr(damage, name) for name in ("value", "low", "high")}
    return {**ends, "n": damage.n}


def _tables(cells: Cells, value: Any) -> dict[str, Table]:
    return {method: np.array([_row(one.outcomes, value) for one in seeds]) for method, seeds in cells.items()}


def _row(outcomes: Sequence[Outcome], value: Any) -> list[float]:
    return [float(value(outcome)) for outcome in outcomes]


def _shares(name: str, tables: Mapping[str, Table]) -> dict[str, Estimate]:
    return _cut(estimates(name, tables))


def _cut(found: Mapping[str, Estimate]) -> dict[str, Estimate]:
    return {row: within(estimate) for row, estimate in found.items()}
