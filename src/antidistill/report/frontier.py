"""Damage and visibility of each method, out of the files that hold them: the lab's, the game's, and those of real text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antidistill.errors import InputError, PayoffError
from antidistill.lab.methods import CLEAN
from antidistill.report.visibility import estimate
from antidistill.trace import Estimate

LIMITS = (0.6, 0.75)
"""Limits of visibility (AUROC) under which the game is answered, beside none."""
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
        visibility: AUROC of the detector chosen in training, 0.5 = guessing.
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
    """

    title: str
    unit: str
    standings: tuple[Standing, ...]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Frontier:
    """All set-ups, and what the game answers.

    Attributes:
        setups: in the order of the files.
        answers: by name of the payoffs, one sentence per limit.
    """

    setups: tuple[Setup, ...]
    answers: Mapping[str, Sequence[str]]


def read_frontier(paths: Sequence[Path]) -> Frontier:
    """Reads what `antidistill lab` and the benchmarks wrote.

    Args:
        paths: results.json or payoffs-*.json of the lab, any payoff file of the game, and real_text.json together with
            visibility.json of the benchmarks.

    Raises:
        InputError: a file is none of these, or cannot be read.
    """
    contents = {path: _content(path) for path in paths}
    seen: dict[str, Any] = {}
    for content in contents.values():
        if _is_visibility(content):
            seen |= content["cells"]
    setups: list[Setup] = []
    answers: dict[str, Sequence[str]] = {}
    for path, content in contents.items():
        try:
            setups += _setups(content, seen, path)
            answers |= {name: _answers(payoffs) for name, payoffs in _payoffs(content, path).items()}
        except (KeyError, TypeError, ValueError, AttributeError, PayoffError) as error:
            raise _unknown(path, f"{type(error).__name__}: {error}") from error
    return Frontier(tuple(setups), answers)


def _content(path: Path) -> dict[str, Any]:
    import orjson

    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise _unknown(path, str(getattr(error, "strerror", None) or error)) from error
    if not isinstance(content, dict):
        raise _unknown(path, "it is no table")
    return content


def _unknown(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} holds no damage ({why}); give results.json or payoffs-*.json of antidistill lab, or real_text.json and "
        "visibility.json of the benchmarks."
    )


def _is_visibility(content: Mapping[str, Any]) -> bool:
    return isinstance(content.get("cells"), dict)


def _setups(content: Mapping[str, Any], seen: Mapping[str, Any], path: Path) -> Iterator[Setup]:
    if "worlds" in content:
        for name, world in content["worlds"].items():
            yield from _of_world(name, world["rows"], content["experiment"]["students"])
    elif "columns" in content:
        yield from _of_payoffs(content, path.stem.removeprefix("payoffs-"))
    elif "by_teacher" in content:
        yield from _of_real_text(content, seen)
    elif not _is_visibility(content):
        raise KeyError("worlds, columns or by_teacher")


def _of_world(world: str, rows: Mapping[str, Any], students: Sequence[str]) -> Iterator[Setup]:
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


def _of_payoffs(content: Mapping[str, Any], name: str) -> Iterator[Setup]:
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
        yield Setup(f"{name}, {student}", "points of accuracy", standings)


def _of_real_text(content: Mapping[str, Any], seen: Mapping[str, Any]) -> Iterator[Setup]:
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


def _payoffs(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if "worlds" in content:
        return {name: world["payoffs"] for name, world in content["worlds"].items()}
    return {path.stem.removeprefix("payoffs-"): content} if "columns" in content else {}


def _answers(payoffs: Mapping[str, Any]) -> list[str]:
    from antidistill.theory.game import parse
    from antidistill.theory.game.words import answers

    return answers(parse(payoffs), LIMITS if payoffs.get("visibility") else ())
