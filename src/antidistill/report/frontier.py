"""Damage and visibility of each method, out of the files that hold them: of the lab, the game, students and real text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antidistill.errors import InputError, PayoffError
from antidistill.report.standings import Setup, of_distill, of_payoffs, of_real_text, of_world
from antidistill.theory.game.payoffs import AUROC
from antidistill.trace import Estimate

LIMITS = (0.6, 0.75)
"""Limits under which the game is answered where visibility is an AUROC, beside none."""


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
        paths: results.json or payoffs-*.json of the lab, any payoff file of the game, results of `antidistill distill`, and
            real_text.json of the benchmarks; visibility.json of the benchmarks, or detections of conditions in its form.

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


def payoffs_of(setups: Sequence[Setup]) -> dict[str, Any]:
    """What was measured as a payoff file of the game: one column per set-up, the methods that all of them have as rows.

    Visibility is in it where each of these methods has one in the first set-up, utility where it has a teacher's accuracy.

    Args:
        setups: of one unit, for instance those of several results of `antidistill distill`.
    """
    tables = [{one.method: one for one in setup.standings if one.damage is not None} for setup in setups]
    rows = [method for method in tables[0] if all(method in table for table in tables)]
    found: dict[str, Any] = {"rows": rows, "columns": [setup.title for setup in setups]}
    found["damage"] = [[_cell(table[row].damage) for table in tables] for row in rows]
    for key, values in (
        ("visibility", {row: tables[0][row].visibility for row in rows}),
        ("utility", {row: tables[0][row].teacher for row in rows}),
    ):
        if all(values.values()):
            found[key] = {row: _cell(value) for row, value in values.items()}
    return {**found, "visibility_name": setups[0].seen}


def _cell(measured: Estimate | None) -> Any:
    assert measured is not None
    return measured.value if math.isnan(measured.low) else measured.to_json()


def _content(path: Path) -> dict[str, Any]:
    import orjson

    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a file that is there.") from error
    except orjson.JSONDecodeError as error:
        raise _unknown(path, str(error)) from error
    if not isinstance(content, dict):
        raise _unknown(path, "it is no table")
    return content


def _unknown(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} holds no damage ({why}); give results.json or payoffs-*.json of antidistill lab, a payoff file, what "
        "antidistill distill --json wrote, or real_text.json and visibility.json of the benchmarks."
    )


def _is_visibility(content: Mapping[str, Any]) -> bool:
    return isinstance(content.get("cells"), dict)


def _setups(content: Mapping[str, Any], seen: Mapping[str, Any], path: Path) -> Iterator[Setup]:
    if "worlds" in content:
        for name, world in content["worlds"].items():
            yield from of_world(name, world["rows"], content["experiment"]["students"])
    elif "columns" in content:
        yield from of_payoffs(content, path.stem.removeprefix("payoffs-"))
    elif "by_teacher" in content:
        yield from of_real_text(content, seen)
    elif "comparisons" in content:
        yield from of_distill(content, seen, path.stem)
    elif not _is_visibility(content):
        raise KeyError("worlds, columns, by_teacher or comparisons")


def _payoffs(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if "worlds" in content:
        return {name: {"visibility_name": AUROC, **world["payoffs"]} for name, world in content["worlds"].items()}
    return {path.stem.removeprefix("payoffs-"): content} if "columns" in content else {}


def _answers(payoffs: Mapping[str, Any]) -> list[str]:
    from antidistill.theory.game import parse
    from antidistill.theory.game.words import answers

    parsed = parse(payoffs)
    return answers(parsed, LIMITS if parsed.visibility_name == AUROC and "visibility" in parsed.metrics else ())
