"""The results as a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PAIRED = {"perplexity": "perplexity", "tfidf": "TF-IDF distance", "semantic": "semantic distance", "tokens": "tokens"}
_HEADS = ("removed", "teacher", "best detector", "AUROC", *_PAIRED.values())
_STUDENT_HEADS = ("accuracy", "by seed", "damage", "finished", "of finished", "says a marker", "markers per sentence")


def page(results: Mapping[str, Any], limits: Sequence[float] = (0.6, 0.75)) -> str:
    """The results as Markdown: calibration, a table per world and student, and the game's answer.

    Args:
        results: of `run`.
        limits: visibilities (AUROC) under which the game is solved, beside no limit.
    """
    experiment = results["experiment"]
    lines = ["# The lab\n", "Written by `antidistill lab`; do not edit.\n", *_about(experiment, results.get("machine"))]
    lines += ["## Calibration\n", *(f"- {line}" for line in results["calibration"]["verdict"]), ""]
    for name, world in results["worlds"].items():
        lines += [f"## {name}\n", f"{world['tells']}{_pace(world.get('pace', 1))}\n", *_methods(world["rows"]), ""]
        for student in experiment["students"]:
            lines += [f"### {student} in {name}\n", *_students(world["rows"], student), ""]
        lines += ["### What the game says\n", *(f"- {line}" for line in _game(world["payoffs"], limits)), ""]
    return "\n".join(lines)


def _about(experiment: Mapping[str, Any], machine: Mapping[str, Any] | None) -> Iterator[str]:
    sizes = experiment["sizes"]
    yield (
        f"{experiment['seeds']} students of each kind per method, {sizes['traces']:,} traces each, {sizes['test']} test "
        f"questions, greedy. Text defenses are dosed to remove {experiment['share']:.0%} of the characters, samplers to cost "
        f"the teacher {100 * experiment['price']:.0f} points. Brackets are 95 % intervals; damage is the clean student's "
        "accuracy minus this one's, in points, same seeds and questions; accuracy = finished × accuracy of the finished. "
        "AUROC: of the detector that each fold chose on its training traces, among those without models; best detector: the "
        "strongest of them in hindsight. Perplexity (of the world's teacher) and tokens: guarded minus clean."
    )
    if machine:
        yield f"\nMachine: {machine['cpu']}, {machine['cores']} cores, {machine['python']}, torch {machine['torch']}."
    yield ""


def _pace(pace: float) -> str:
    return "" if pace == 1 else f" Its students are trained for {pace:g} times the steps of the other worlds."


def _methods(rows: Mapping[str, Any]) -> Iterator[str]:
    yield _line(["method", *_HEADS])
    yield "|" + "---|" * (len(_HEADS) + 1)
    for method, row in rows.items():
        seen = row.get("visibility")
        removed = f"{row['removed_share']:.1%}" if "removed_share" in row else ""
        cells = [method, removed, _share(row["teacher"])]
        if seen:
            cells += [seen["unpaired"]["best"] or "", _plain(seen["chosen_in_training"])]
            cells += [_plain(seen["paired"][name]) for name in _PAIRED]
        yield _line(cells + [""] * (len(_HEADS) + 1 - len(cells)))


def _students(rows: Mapping[str, Any], student: str) -> Iterator[str]:
    yield _line(["method", *_STUDENT_HEADS])
    yield "|" + "---|" * (len(_STUDENT_HEADS) + 1)
    for method, row in rows.items():
        one = row["students"][student]
        damage = _points(one["damage"]) if "damage" in one else ""
        shares = [_share(one[name]) for name in ("finished", "accuracy_of_finished", "says_marker", "marker_rate")]
        seeds = ", ".join(f"{100 * share:.0f}" for share in one["accuracy_by_seed"])
        yield _line([method, _share(one["accuracy"]), seeds, damage, *shares])


def _game(payoffs: Mapping[str, Any], limits: Sequence[float]) -> list[str]:
    from antidistill.theory.game import parse
    from antidistill.theory.game.words import answers

    return answers(parse(payoffs), limits)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _share(estimate: Mapping[str, Any]) -> str:
    """A share in percent with its interval."""
    value, low, high = _ends(estimate)
    return "" if value is None or math.isnan(value) else f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _points(estimate: Mapping[str, Any]) -> str:
    value, low, high = _ends(estimate)
    return f"{100 * value:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def _plain(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None:
        return ""
    value, low, high = _ends(estimate)
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _ends(estimate: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return estimate["value"], estimate["low"], estimate["high"]
