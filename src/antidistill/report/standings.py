"""What was measured of each method with one student, in the shape in which each kind of result holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from antidistill.lab.methods import CLEAN
from antidistill.report.visibility import estimate
from antidistill.theory.game.payoffs import AUROC, VISIBILITY
from antidistill.trace import Estimate

REAL_TEXT_PART = "reasoning_outside_markers"
_SAME_BUDGET = {"exchange": "share=1.0", "marker-words": "all", "none": "all"}
_BUDGET = "10% removed"
"""The budgets of `benchmarks/visibility.json` that `benchmarks/real_text.py` trains on."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One method in one set-up; None where it was not measured.

    Attributes:
        method: its name.
        damage: what the student lost; above 0 = worse.
        visibility: in the metric of its set-up; higher = plainer to see.
        student: accuracy of the student, 0 to 1.
        teacher: accuracy of the teacher's traces, 0 to 1.
        paired: the paper's paired metrics by name.
        removed_share: of the characters.
    """

    method: str
    damage: Estimate | None
    visibility: Estimate | None
    student: Estimate | None = None
    teacher: Estimate | None = None
    paired: Mapping[str, Estimate | None] = field(default_factory=dict)
    removed_share: float | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """What was measured with one student on traces of one kind.

    Attributes:
        title: traces and student.
        unit: of damage.
        standings: one per method.
        remark: what a reader has to know about the numbers.
        seen: what visibility is: the AUROC of the detector chosen in training (0.5 = guessing), or what the file calls it.
    """

    title: str
    unit: str
    standings: tuple[Standing, ...]
    remark: str = ""
    seen: str = AUROC


def of_world(world: str, rows: Mapping[str, Any], students: Sequence[str]) -> Iterator[Setup]:
    """One per student of a world of the lab."""
    for student in students:
        standings = tuple(_in_lab(method, row, row["students"][student]) for method, row in rows.items())
        yield Setup(f"{world}, {student}", "points of accuracy", standings)


def _in_lab(method: str, row: Mapping[str, Any], learnt: Mapping[str, Any]) -> Standing:
    seen = row.get("visibility") or {}
    damage = _scaled(estimate("damage", learnt.get("damage")), 100)
    return Standing(
        method,
        _number("damage", 0) if method == CLEAN else damage,  # the clean student loses nothing by definition
        estimate("visibility", seen.get("chosen_in_training")),
        estimate("accuracy", learnt["accuracy"]),
        estimate("teacher", row.get("teacher")),
        {name: estimate(name, value) for name, value in seen.get("paired", {}).items()},
        row.get("removed_share"),
    )


def of_payoffs(content: Mapping[str, Any], name: str) -> Iterator[Setup]:
    """One per column of a payoff file; the unit of damage is not in it."""
    seen = str(content.get("visibility_name", VISIBILITY)).strip()
    for place, student in enumerate(content["columns"]):
        standings = tuple(
            Standing(
                method,
                _number("damage", row[place]),
                _number("visibility", content.get("visibility", {}).get(method)),
                teacher=_number("teacher", content.get("utility", {}).get(method)),
            )
            for method, row in zip(content["rows"], content["damage"], strict=True)
        )
        yield Setup(f"{name}, {student}", "points of accuracy", standings, seen=seen)


def of_real_text(content: Mapping[str, Any], seen: Mapping[str, Any]) -> Iterator[Setup]:
    """One per teacher of `benchmarks/real_text.py`; `seen` are the detections of `benchmarks/visibility.py`."""
    for teacher, conditions in content["by_teacher"].items():
        standings = []
        for method, parts in conditions.items():
            cell = seen.get(f"{teacher} | {method} | {_SAME_BUDGET.get(method, _BUDGET)}", {})
            paired = {name: estimate(name, value) for name, value in cell.get("paired", {}).items()}
            damage = estimate("damage", parts[REAL_TEXT_PART])
            visible = estimate("visibility", cell.get("chosen_in_training"))
            standings.append(Standing(method, damage, visible, paired=paired, removed_share=parts["removed_share"]))
        remark = (
            f"Damage: loss on held-out clean reasoning outside marker sentences, {content['cells_done']} of "
            f"{content['cells_planned']} students trained. Visibility was measured on all traces of {teacher}, damage on those "
            "that are short enough to train on."
        )
        if standings:
            yield Setup(f"{teacher} traces, {content['plan']['student']}", "nats per token", tuple(standings), remark)


def of_distill(content: Mapping[str, Any], seen: Mapping[str, Any], name: str) -> Iterator[Setup]:
    """The student of a result of `antidistill distill`; `seen` are detections by the name of the condition."""
    differences = content["comparisons"]
    standings = []
    for method, entry in content["conditions"].items():
        cell = seen.get(method, {})
        lost = differences[method]["accuracy"] if method in differences else None
        standings.append(
            Standing(
                method,
                _scaled(estimate("damage", lost), 100) if method in differences else _number("damage", 0),
                estimate("visibility", cell.get("chosen_in_training")),
                estimate("accuracy", entry["evaluation"]["estimates"]["accuracy"]),
                paired={metric: estimate(metric, value) for metric, value in cell.get("paired", {}).items()},
                removed_share=entry.get("removed_share"),
            )
        )
    first = "an earlier student" if len(differences) == len(standings) else standings[0].method
    remark = f"Damage: accuracy lost against {first}, on {content['questions']} questions."
    yield Setup(f"{name}, {content['student']}", "points of accuracy", tuple(standings), remark)


def _scaled(found: Estimate | None, factor: float) -> Estimate | None:
    if found is None:
        return None
    value, low, high = factor * found.value, factor * found.low, factor * found.high
    return Estimate(found.name, value, low, high, found.n, found.unit)


def _number(name: str, value: Any) -> Estimate | None:
    """A cell of a payoff file: an estimate, or a number without an interval."""
    if value is None or isinstance(value, Mapping):
        return estimate(name, value)
    return Estimate(name, float(value), float("nan"), float("nan"), 0)
