"""How visible every method is: each method on the traces of each model at each budget, against clean, on disjoint prompts.

Writes `visibility.json` (one cell per model, method and budget, with intervals and n) and `visibility.md` (the same as tables),
and prints the JSON. A budget is a share of the characters removed; the option of a method is searched so that the removed
share comes nearest to it. Methods that remove nothing have doses instead. A run that was stopped goes on where it was: finished
cells of the same specification are kept.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import machine
from antidistill import defense
from antidistill.defenses import Defense, spec
from antidistill.defenses.matching import AS_PUBLISHED, guarded, matched, removed_share
from antidistill.measure import Options, detect
from antidistill.trace import Trace

HERE = Path(__file__).resolve().parent
TRACES = HERE.parents[1] / "shared" / "data" / "traces_gsm8k_4models.parquet"
KEY = b"the key of this benchmark, 32 b."
BUDGETS = (0.05, 0.10, 0.15)
DOSES: dict[str, list[dict[str, Any]]] = {
    "none": [{}],
    "marker-words": [{"k": 5}, {"k": 15}, {}],
    "exchange": [{"share": 0.25}, {"share": 0.5}, {"share": 1.0}],
}
COLUMNS = ("marker-rate", "tfidf", "char-ngrams", "seam-words", "features", "boosting")


def main() -> None:
    arguments = _arguments()
    target = arguments.output.with_suffix(".json")
    cells = _finished(target)
    for model, traces in _models(arguments.traces, arguments.rows, arguments.only_model).items():
        for method, budget, chosen in _methods(traces, arguments.only_method):
            name = f"{model} | {method} | {budget}"
            if cells.get(name, {}).get("spec") != spec(chosen):
                cells[name] = _cell(model, method, budget, traces, chosen, Options(models=arguments.models))
                _save(target, cells)
                print(f"{name}: {cells[name]['seconds']} s", flush=True)
    _save(target, cells)
    arguments.output.with_suffix(".md").write_text(_page(cells), encoding="utf-8")
    print(target.read_text(encoding="utf-8"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "traces", nargs="?", type=Path, default=TRACES, help="Parquet file of traces with a column model"
    )
    parser.add_argument("--rows", type=int, help="only so many traces of each model")
    parser.add_argument("--only-model", help="only models whose name holds this")
    parser.add_argument("--only-method", help="only this method")
    parser.add_argument("--models", action="store_true", help="also the metrics and detectors that need models")
    parser.add_argument("--output", type=Path, default=HERE / "visibility", help="path of the results without suffix")
    return parser.parse_args()


def _models(path: Path, rows: int | None, only: str | None) -> dict[str, list[Trace]]:
    """The traces of each model, under the model's name without its maker."""
    found: dict[str, list[Trace]] = {}
    for row in pq.read_table(path).to_pylist():
        name = row["model"].partition(" ")[0].rpartition("/")[2]
        found.setdefault(name, []).append(Trace(row["id"], row["question"], row["reasoning"], row["response"]))
    return {name: traces[:rows] for name, traces in sorted(found.items()) if only is None or only in name}


def _methods(traces: list[Trace], only: str | None) -> Iterator[tuple[str, str, Defense]]:
    """Each method with its budgets or doses: name, budget in words, defense."""
    for method, doses in DOSES.items():
        for options in doses if only in (None, method) else ():
            words = ", ".join(f"{option}={value}" for option, value in options.items())
            yield method, words or "all", defense(method, key=KEY, **options)
    for method in AS_PUBLISHED if only is None else [only] if only in AS_PUBLISHED else []:
        for budget in BUDGETS:
            yield method, f"{budget:.0%} removed", matched(method, budget, traces, KEY)


def _cell(
    model: str, method: str, budget: str, traces: list[Trace], chosen: Defense, options: Options
) -> dict[str, Any]:
    started = time.perf_counter()
    after = guarded(traces, chosen)
    found = detect(traces, after, options).to_json()
    return {
        "model": model,
        "method": method,
        "budget": budget,
        "spec": spec(chosen),
        "removed_share": round(removed_share(traces, after), 4),
        "changed": sum(ours.reasoning != theirs.reasoning for ours, theirs in zip(traces, after, strict=True)),
        **found,
        "seconds": round(time.perf_counter() - started, 1),
    }


def _finished(target: Path) -> dict[str, Any]:
    if not target.exists():
        return {}
    cells: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))["cells"]
    return cells


def _save(target: Path, cells: Mapping[str, Any]) -> None:
    """Writes all cells or none: a stopped run leaves the last whole file."""
    draft = target.with_suffix(".writing")
    draft.write_text(json.dumps({"machine": machine.describe(), "cells": cells}, indent=1), encoding="utf-8")
    draft.replace(target)


def _page(cells: Mapping[str, Any]) -> str:
    about = machine.describe()
    parts = [
        "# How visible each method is\n",
        "Written by `python benchmarks/visibility.py`; do not edit. AUROC of unpaired detectors (0.5 is guessing, 1 is",
        "certain) with 95 % intervals, on disjoint prompts, as [the methods page](../docs/methods/visibility.md) describes.",
        "*removed*: share of the characters. *changed*: traces that differ. *tfidf distance*: paired, mean of 1 - cosine.",
        "*traces*: how many traces of one kind give a guarded pile away. A method that cannot remove as much as its budget",
        "removes what it can.\n",
        f"Machine: {about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB, {about['python']}.\n",
    ]
    for model in dict.fromkeys(cell["model"] for cell in cells.values()):
        rows = [cell for cell in cells.values() if cell["model"] == model]
        parts += [f"## {model}, n = {rows[0]['n']}\n", *_table(rows), ""]
    return "\n".join(parts)


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    heads = ["method", "budget", "removed", "changed", *COLUMNS, "best", "tfidf distance", "traces"]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        detectors = row["unpaired"]
        shown = [_shown(detectors[name]["auroc"]) if name in detectors else "" for name in COLUMNS]
        distance = f"{row['paired']['tfidf']['value']:.3f}"
        numbers = [f"{row['removed_share']:.1%}", str(row["changed"]), *shown, detectors.get("best") or "", distance]
        yield "| " + " | ".join([row["method"], row["budget"], *numbers, _pile(row.get("traces_to_detect"))]) + " |"


def _shown(estimate: Mapping[str, Any]) -> str:
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def _pile(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None:
        return ""
    value, low, high = (
        "∞" if estimate[name] is None else f"{estimate[name]:,.0f}" for name in ("value", "low", "high")
    )
    return f"{value} [{low}, {high}]"


if __name__ == "__main__":
    main()
