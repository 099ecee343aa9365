"""Writes `docs/results.md` from the stored results, so that no number in it is typed by hand.

    python benchmarks/results.py            # writes the page
    python benchmarks/results.py --stdout   # prints it

A part that was not measured yet is named as such. The rules that turn numbers into words are the same for every method.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from results_methods import compared, matched, method, visibly
from results_mixing import mixing
from results_stored import SCRIPTS, Stored, damage, estimate, interval, read, row, sides

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "results.md"
_PARTS = {
    "marker": "marker sentences",
    "after_marker": "right after",
    "other": "other reasoning",
    "answer": "answer",
    "reasoning_outside_markers": "all outside markers",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE, help="where the stored results lie")
    parser.add_argument("--stdout", action="store_true", help="print the page instead of writing it")
    arguments = parser.parse_args()
    text = page(read(arguments.folder))
    if arguments.stdout:
        print(text, end="")
    else:
        PAGE.write_text(text, encoding="utf-8")


def page(stored: Stored) -> str:
    """The page as Markdown."""
    lines = [
        "# Results\n",
        "Written by `python benchmarks/results.py` from the stored results; do not edit.\n",
        "All intervals are 95 %. *Damage* is what a student loses against one that learned from the clean traces: points of "
        "accuracy in the lab, nats per token of held-out clean reasoning outside marker sentences on real text; above zero = "
        "worse. *Seen* is the AUROC of the detector that did best in training, on traces that it never saw, without originals: "
        "0.5 is guessing, 1 is certain.\n",
        *_missing(stored),
        "## At a glance\n",
        *_glance(stored),
        "## Method by method\n",
        *(line for name in stored.methods() for line in method(stored, name)),
        "## What did not work\n",
        *_negative(stored),
        *_real_text(stored),
        *_lab(stored),
        *mixing(stored.found.get("mixing"), SCRIPTS["mixing"]),
        *_speed(stored),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _missing(stored: Stored) -> Iterator[str]:
    lacking = [f"{name} (`{SCRIPTS[name]}`)" for name in stored.missing]
    if lacking:
        yield f"**Not measured yet:** {', '.join(lacking)}.\n"
    real = stored.found.get("real text")
    if real and real["cells_done"] < real["cells_planned"]:
        yield (
            f"**Not finished:** real text, {real['cells_done']} of {real['cells_planned']} students are trained; with few seeds, "
            "an interval leaves out what seeds do.\n"
        )


def _glance(stored: Stored) -> Iterator[str]:
    setups = (*stored.lab, *stored.real_text)
    yield row(["method", *(f"damage: {setup.title}" for setup in setups), "seen: R1", "seen: QwQ"])
    yield "|" + "---|" * (len(setups) + 3)
    for name in stored.methods():
        found = {setup.title: damage(setup, standing) for setup, standing in stored.standings(name)}
        seen = [
            interval(estimate(cell["chosen_in_training"]), "%.2f") if cell else "" for cell in matched(stored, name)
        ]
        yield row([f"`{name}`", *(found.get(setup.title, "") for setup in setups), *seen])
    yield ""


def _negative(stored: Stored) -> Iterator[str]:
    lines = []
    for name in stored.methods():
        for setup, standing in stored.standings(name):
            where = sides(standing.damage) if standing.damage else "above"
            told = f"{damage(setup, standing)} {setup.unit} in {setup.title}"
            if where == "below":
                lines.append(f"- `{name}` **helped** the student: {told}.")
            elif where == "open":
                lines.append(f"- `{name}` did no damage that could be told from none: {told}.")
    yield from lines or ["- Nothing was measured that says so, or nothing at all."]
    yield ""
    seen = list(visibly(stored))
    yield "What is seen of them, where more than half of the traces were changed:\n" if seen else ""
    yield from seen
    yield ""


def _real_text(stored: Stored) -> Iterator[str]:
    yield "## Real text\n"
    found = stored.found.get("real text")
    if found is None:
        yield f"Not measured yet: `python {SCRIPTS['real text']}`.\n"
        return
    plan = found["plan"]
    yield (
        f"{plan['student']}, trained on {plan['train']} R1 and {plan['train']} QwQ traces per seed (at most "
        f"{plan['training']['max_length']:,} tokens), reads {plan['held_out']} and {plan['held_out']} other clean ones. Nats per "
        "token, guarded minus clean; two-way bootstrap over traces and seeds. A student that never saw a marker pays for marker "
        "sentences themselves; that is no lost reasoning. `answer-only` is the floor: no reasoning at all. "
        "Budgets are matched over all traces that take part; what the few of a seed lose differs, most for `branches`, whose "
        "cuts are long (*removed* is what they lost).\n"
    )
    yield row(["method", "removed", "seeds", *_PARTS.values()])
    yield "|" + "---|" * (3 + len(_PARTS))
    for name, parts in found["damage"].items():
        cells = [interval(estimate(parts[part]), "%+.4f") for part in _PARTS]
        yield row([name, f"{parts['removed_share']:.1%}", str(parts["seeds"]), *cells])
    control = list(compared(stored))
    if control:
        yield "\nAgainst the blind control, outside marker sentences:\n"
        yield from control
    yield f"\n{_machine(found['machine'])}\n"


def _lab(stored: Stored) -> Iterator[str]:
    yield "## The lab\n"
    found = stored.found.get("lab")
    if found is None:
        yield f"Not measured yet: `{SCRIPTS['lab']}`.\n"
        return
    yield from (f"- {line}" for line in found["calibration"]["verdict"])
    yield ""
    for setup in stored.lab:
        yield f"### {setup.title}\n"
        yield row(["method", "removed", "teacher, %", "student, %", "damage, points", "seen, AUROC"])
        yield "|" + "---|" * 6
        for one in setup.standings:
            removed = "" if one.removed_share is None else f"{one.removed_share:.1%}"
            cells = [
                "" if value is None else interval(value, form, factor)
                for value, form, factor in (
                    (one.teacher, "%.1f", 100),
                    (one.student, "%.1f", 100),
                    (one.damage, "%+.1f", 1),
                    (one.visibility, "%.2f", 1),
                )
            ]
            yield row([one.method, removed, *cells])
        yield ""
    if stored.later:
        names = ", ".join(f"`{name}`" for name in stored.later)
        yield f"Run later, with the same clean students, and not part of what the game says below: {names}.\n"
    yield from _answers(found)


def _answers(found: dict[str, Any]) -> Iterator[str]:
    from antidistill.report.frontier import LIMITS
    from antidistill.theory.game import parse
    from antidistill.theory.game.payoffs import AUROC
    from antidistill.theory.game.words import answers

    yield "What [the game](game.md) says of these payoffs:\n"
    for name, world in found["worlds"].items():
        yield from (
            f"- {name}, {sentence}"
            for sentence in answers(parse({"visibility_name": AUROC, **world["payoffs"]}), LIMITS)
        )
    yield ""


def _speed(stored: Stored) -> Iterator[str]:
    yield "## Speed\n"
    for name in ("guard", "sampling"):
        if name not in stored.found:
            yield f"{name.capitalize()}: not measured yet: `python {SCRIPTS[name]}`.\n"
    if "sampling" in stored.found:
        found = stored.found["sampling"]
        yield row(["sampling", "ratio", "rounds"])
        yield "|---|---|---|"
        for name, ratio in found["ratios"].items():
            yield row([name, interval(estimate(ratio), "%.2f"), str(ratio["n"])])
        yield f"\n{_machine(found['machine'])}\n"
    if "guard" in stored.found:
        found = stored.found["guard"]
        yield row(["guarding a file", found["unit"], "runs"])
        yield "|---|---|---|"
        for kind in ("jsonl", "parquet"):
            for name, speed in found[kind].items():
                yield row([f"{kind}, {name}", interval(estimate(speed), "%.2f"), str(speed["n"])])
        yield f"\nRows with a / are ratios. {_machine(found['machine'])}\n"
    yield "Visibility of every method and budget, all detectors: [benchmarks/visibility.md](../benchmarks/visibility.md)."


def _machine(found: dict[str, Any]) -> str:
    return f"Machine: {found['cpu']}, {found['cores']} cores, {found['python']}."


if __name__ == "__main__":
    main()
