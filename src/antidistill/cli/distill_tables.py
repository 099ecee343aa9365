"""The tables that `antidistill distill` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antidistill.distill.plan import Plan

_SHOWN = {"accuracy": "accuracy", "finished": "= finished", "accuracy_of_finished": "x of the finished"}


def print_plan(plan: Plan) -> None:
    """Steps, tokens and hours of each condition; memory; what the numbers rest on."""
    from rich.table import Table

    from antidistill.cli.console import ResultConsole

    console = ResultConsole()
    table = Table(
        "condition", "traces", "removed", "tokens per epoch", "cut off", "steps", "hours", box=None, pad_edge=False
    )
    for step in plan.steps:
        numbers = (f"{step.traces:,}", f"{step.removed_share:.1%}", f"{step.tokens:,}", f"{step.truncated:,}")
        table.add_row(step.condition, *numbers, f"{step.steps:,}", f"{step.hours:.2f}")
    console.print(table)
    memory = ", ".join(f"{name} {size:g}" for name, size in plan.memory_gb.items() if name != "total")
    lines = (
        f"{plan.student}: {plan.parameters:,} parameters, {plan.trainable:,} of them trained.",
        f"Memory per device: {plan.memory_gb['total']:g} GB ({memory}).",
        f"In all {plan.hours:.1f} hours on {plan.devices} x {plan.device.name}, every output as long as allowed.",
        f"Estimates: tokens by {plan.tokens_from}; {plan.device.share:.0%} of the device's speed.",
    )
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def print_result(result: Mapping[str, Any]) -> None:
    """Accuracy of each student and what it is made of; the difference to the first; published numbers beside them."""
    from antidistill.cli.console import ResultConsole

    console = ResultConsole()
    console.print(_students(result))
    if result["comparisons"]:
        console.print()
        console.print(_differences(result))
    console.print(
        f"{result['questions']} questions. Accuracy counts outputs that are right and finished; intervals are 95 %.",
        soft_wrap=True,
        highlight=False,
    )


def _students(result: Mapping[str, Any]) -> Any:
    from rich.table import Table

    conditions = result["conditions"]
    forced = [name for name in next(iter(conditions.values()))["evaluation"]["estimates"] if "_forced_by_" in name]
    published = any(entry["expected"] for entry in conditions.values())
    heads = [
        "condition",
        "removed",
        *_SHOWN.values(),
        "looping",
        "tokens",
        *(name.replace("_", " ") for name in forced),
    ]
    table = Table(*heads, *(["published"] if published else []), box=None, pad_edge=False)
    for name, entry in conditions.items():
        found = entry["evaluation"]["estimates"]
        cells = [name, f"{entry['removed_share']:.1%}", *(_share(found[key]) for key in (*_SHOWN, "looping"))]
        cells += [f"{found['tokens']['value']:.0f}", *(_share(found[key]) for key in forced)]
        expected = entry["expected"].get(result.get("measure", "accuracy"))
        table.add_row(*cells, *([f"{expected:g}" if expected is not None else ""] if published else []))
    return table


def _differences(result: Mapping[str, Any]) -> Any:
    from rich.table import Table

    table = Table("damage (points of accuracy)", "", "95 % interval", "McNemar p", box=None, pad_edge=False)
    for name, measures in result["comparisons"].items():
        one = measures["accuracy"]
        p = "" if one["mcnemar_p"] is None else f"{one['mcnemar_p']:.3g}"
        table.add_row(name, f"{100 * one['value']:+.1f}", f"{100 * one['low']:+.1f} to {100 * one['high']:+.1f}", p)
    return table


def _share(estimate: Mapping[str, Any]) -> str:
    if estimate["value"] is None or estimate["n"] == 0:
        return "-"
    return f"{100 * estimate['value']:.1f} [{100 * estimate['low']:.1f}, {100 * estimate['high']:.1f}]"
