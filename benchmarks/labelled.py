"""Reads traces whose sentences others labelled, and recomputes the importance of each function of sentences.

Run as a script it prints JSON: for each model, each published column and each function, what was published (over the 20 labelled
traces of each model in interp-reasoning/thought-anchors.com @ 68acc04) beside the same statistic over the traces that are here,
with its 95 % interval (bootstrap over traces), the number of sentences, whether the published value lies inside, whether the two
are equal to the last published digit, and what the traces that are not here would have to give for the published value to be
right ("rest"; a KL is never negative). The shared labels are of 10 of the 20 traces of each model, so the two cannot be equal.
Labels of other models get their own means and medians, with nothing beside them. "nearest": which other column, sign, weight or
subset comes nearest to each published column, and how many of its eight values any of them gives to the last digit.
"""

import argparse
import json
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import machine
from antidistill import Sentence, Trace
from antidistill.anchors.resampling.published import spans
from antidistill.errors import AntidistillError, RowError
from antidistill.formats.files import every_row

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
LABELS = SHARED / "labels_thought_anchors_math.parquet"
TRACES = SHARED / "traces_thought_anchors_math.parquet"
IMPORTANCE = "counterfactual_importance_kl"

FUNCTIONS = (
    "active_computation",
    "fact_retrieval",
    "plan_generation",
    "uncertainty_management",
    "result_consolidation",
    "self_checking",
    "problem_setup",
    "final_answer_emission",
)
QWEN = "deepseek-r1-distill-qwen-14b"
PUBLISHED: Mapping[str, Mapping[tuple[str, str], tuple[float, ...]]] = {
    QWEN: {
        ("counterfactual_importance_kl", "mean"): (0.162, 0.274, 0.338, 0.269, 0.173, 0.074, 0.345, 0.020),
        ("counterfactual_importance_kl", "median"): (0.011, 0.026, 0.071, 0.041, 0.008, 0.000, 0.041, 0.000),
        ("resampling_importance_kl", "mean"): (0.225, 0.307, 0.365, 0.263, 0.174, 0.076, 0.441, 0.012),
        ("forced_importance_kl", "mean"): (2.47, 1.26, 0.94, 0.86, 1.43, 0.24, 2.98, 0.00),
    },
    "deepseek-r1-distill-llama-8b": {
        ("counterfactual_importance_kl", "mean"): (0.511, 0.503, 0.695, 0.479, 0.251, 0.163, 1.335, 0.011),
        ("counterfactual_importance_kl", "median"): (0.014, 0.089, 0.100, 0.054, 0.031, 0.011, 0.252, 0.000),
    },
}
"""Per function in the order of `FUNCTIONS`, over all sentences of 20 traces of each model."""
DIGITS = {"forced_importance_kl": 2}
"""Digits behind the point of the published values, where they are not three."""
SHARES: Mapping[str, tuple[int, tuple[float, ...]]] = {
    "deepseek-r1-distill-qwen-14b": (2885, (34.5, 17.0, 14.8, 12.7, 10.8, 7.1, 1.8, 1.4)),
    "deepseek-r1-distill-llama-8b": (2929, (40.1, 19.5, 11.8, 10.4, 8.5, 5.9, 2.5, 1.2)),
}
"""Sentences that the published values are over, and the percentage of each function."""
SIGNS: Mapping[str, Callable[[float], float]] = {"as it is": float, "absolute": abs, "negated": operator.neg}
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class LabelledTrace:
    """A trace, the sentences that the labels are about, and the labels.

    Attributes:
        trace: the trace.
        sentences: spans of the reasoning that tile it from the first labelled sentence on.
        functions: one per sentence; a name that is none of `FUNCTIONS` is left out of all training and counting.
        importance: published counterfactual importance (KL, nats, 0 and more; higher = matters more), one per sentence; NaN
            where the file has none.
        problem: name of the problem.
    """

    trace: Trace
    sentences: list[Sentence]
    functions: list[str]
    importance: list[float]
    problem: str


def draws(problems: Sequence[str], resamples: int) -> list[list[int]]:
    """Numbers of the traces of each resample: problems are drawn, then traces within each."""
    generator = np.random.default_rng(0)
    names = sorted(set(problems))
    members = {name: [place for place, problem in enumerate(problems) if problem == name] for name in names}
    return [
        [
            int(place)
            for name in generator.choice(names, len(names))
            for place in generator.choice(members[name], len(members[name]))
        ]
        for _ in range(resamples)
    ]


def read(labels: Path = LABELS, traces: Path = TRACES) -> list[LabelledTrace]:
    """The labelled traces, by id; rows and columns may stand in any order, further columns are not looked at.

    Raises:
        SystemExit: a file cannot be read, a column is missing, or a labelled trace is not in the other file.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in table(labels, ("trace_id", "idx", "text", "tags", IMPORTANCE)):
        rows.setdefault(row["trace_id"], []).append(row)
    texts = {row["id"]: row for row in table(traces, ("id", "question", "reasoning"))}
    lost = sorted(rows.keys() - texts.keys())
    if lost:
        raise SystemExit(
            f"{traces} lacks {len(lost)} labelled traces, the first is {lost[0]!r}: give the file of their texts."
        )
    return [_labelled(texts[name], sorted(rows[name], key=lambda row: int(row["idx"]))) for name in sorted(rows)]


def add_files(parser: argparse.ArgumentParser) -> None:
    """`--labels` and `--traces`, by default the shared ones."""
    kinds = "Parquet or JSON lines"
    parser.add_argument(
        "--labels",
        type=Path,
        default=LABELS,
        help=f"{kinds}, a row per sentence: trace_id, idx, text, tags, {IMPORTANCE}",
    )
    parser.add_argument(
        "--traces", type=Path, default=TRACES, help=f"{kinds}, a row per trace: id (…/problem), question, reasoning"
    )


def several_problems(rows: Sequence[LabelledTrace]) -> bool:
    """Whether there is more than one problem; one alone cannot be cross-validated, which is said on stderr."""
    if len({row.problem for row in rows}) > 1:
        return True
    print(
        "The labels are of one problem: nothing is cross-validated, only what needs no training is shown.",
        file=sys.stderr,
    )
    return False


def table(path: Path, needed: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a Parquet or JSON lines file that has these columns, and at least one row."""
    try:
        rows = (
            pq.read_table(path).to_pylist() if path.suffix == ".parquet" else [_row(row) for _, row in every_row(path)]
        )
    except (OSError, ValueError, AntidistillError) as error:
        raise SystemExit(f"{path} cannot be read ({error}): give a file like those in shared/data.") from error
    missing = [name for name in needed if name not in (rows[0] if rows else ())]
    if missing:
        what = f"lacks {', '.join(missing)}; it has {', '.join(rows[0])}" if rows else "holds no row"
        raise SystemExit(f"{path} {what}, and needs {', '.join(needed)}.")
    return rows


def _row(row: Any) -> dict[str, Any]:
    if isinstance(row, RowError):
        raise row
    return dict(row)


def function(tags: Any) -> str:
    """The first known function of a sentence; its first tag, or "unknown", where none is known.

    `tags` is a list, or JSON of one, or a name alone.
    """
    if isinstance(tags, str):
        tags = json.loads(tags) if tags.lstrip().startswith("[") else [tags]
    names = [str(tag) for tag in tags or ()]
    return next((name for name in names if name in FUNCTIONS), names[0] if names else "unknown")


def _labelled(text: dict[str, Any], rows: list[dict[str, Any]]) -> LabelledTrace:
    meta = {"model": text.get("model")}
    trace = Trace(text["id"], text["question"], text["reasoning"], text.get("response") or "", meta)
    try:
        sentences = spans(trace.reasoning, [row["text"] for row in rows])
    except AntidistillError as error:
        raise SystemExit(f"the labelled sentences of {trace.id!r} do not fit its reasoning: {error}") from error
    functions = [function(row["tags"]) for row in rows]
    importance = [float("nan") if row[IMPORTANCE] is None else float(row[IMPORTANCE]) for row in rows]
    return LabelledTrace(trace, sentences, functions, importance, text["id"].rpartition("/")[2])


def hidden_states(sentences: Sequence[Sequence[str]], prompts: Sequence[str], cache: Path | None) -> list[Any]:
    """`functions.hidden.states` of each trace; kept in a file, if one is named, since a trace takes seconds."""
    from antidistill.anchors.functions.hidden import states

    if cache is not None and cache.exists():
        with np.load(cache, allow_pickle=False) as data:
            found = [data[str(number)] for number in range(len(data.files))]
        if [len(each) for each in found] != [len(each) for each in sentences]:
            raise SystemExit(f"{cache} holds the states of other traces: name another file, or delete it.")
        return found
    found = [states(each, prompt) for each, prompt in zip(sentences, prompts, strict=True)]
    if cache is not None:
        np.savez(cache, **{str(number): each.astype(np.float32) for number, each in enumerate(found)})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--labels", type=Path, default=LABELS, help="Parquet or JSON lines with the columns of the shared labels"
    )
    arguments = parser.parse_args()
    rows = table(arguments.labels, ("model", "trace_id", "tags", IMPORTANCE))
    models: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        models.setdefault(str(row["model"]), []).append(row)
    shown = {model: _compared(model, own) | _nearest(model, own) for model, own in models.items()}
    cells = [cell for each in shown.values() for column in each["columns"].values() for cell in column.values()]
    compared = [cell for cell in cells if "published" in cell]
    summary = {name: sum(cell[name] for cell in compared) for name in ("inside", "equal")}
    print(json.dumps({"models": shown, "values": len(compared), **summary, "machine": machine.describe()}, indent=1))


def _compared(model: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Each column by function; of a model that nothing was published about, the means and medians of its importances."""
    columns: dict[str, Any] = {}
    for column, statistic in PUBLISHED.get(model) or product(_importances(rows), ("mean", "median")):
        known = [row for row in rows if row.get(column) is not None]
        values, traces = np.array([row[column] for row in known]), np.array([row["trace_id"] for row in known])
        functions = np.array([function(row["tags"]) for row in known])
        cells = {
            name: _cell(values[functions == name], traces[functions == name], statistic)
            for name in FUNCTIONS
            if (functions == name).any()
        }
        if model in PUBLISHED:
            _compare(cells, values, functions, model, (column, statistic))
        columns[f"{column} {statistic}"] = cells
    found = {"sentences": len(rows), "traces": len({row["trace_id"] for row in rows}), "columns": columns}
    return found | ({"published_sentences": SHARES[model][0], "published_traces": 20} if model in PUBLISHED else {})


def _compare(
    cells: Mapping[str, dict[str, Any]], values: Any, functions: Any, model: str, column: tuple[str, str]
) -> None:
    """Puts beside each value what was published, and what the traces that are not here would have to give."""
    total, shares = SHARES[model]
    half = 0.5 * 10.0 ** -DIGITS.get(column[0], 3) + 1e-9
    for name, published, share in zip(FUNCTIONS, PUBLISHED[model][column], shares, strict=True):
        if name not in cells:
            continue
        cell, own, there = cells[name], values[functions == name], share * total / 100
        cell["published"] = published
        cell["inside"] = bool(cell["low"] - half <= published <= cell["high"] + half)
        cell["equal"] = bool(abs(cell["value"] - published) <= half)
        if column[1] == "mean" and there - len(own) >= 1:
            cell["rest"] = round(float((published * there - own.sum()) / (there - len(own))), 3)


def _importances(rows: list[dict[str, Any]]) -> list[str]:
    return [name for name in rows[0] if "importance" in name and isinstance(rows[0][name], float)]


def _nearest(model: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """For each published column, the way to compute it that comes nearest: of every column, sign, weight and subset."""
    if model not in PUBLISHED:
        return {}
    numbers = [name for name in rows[0] if "importance" in name and all(row[name] is not None for row in rows)]
    found: dict[str, Any] = {}
    for (column, statistic), published in PUBLISHED[model].items():
        ways = []
        for name, subset, sign, weight in product(
            numbers, ("", "/correct", "/incorrect"), SIGNS, ("sentence", "trace")
        ):
            kept = [row for row in rows if subset in row["trace_id"]]
            values = _by_function(
                kept, name, SIGNS[sign], np.mean if statistic == "mean" else np.median, weight == "trace"
            )
            apart = np.abs(values - np.array(published))
            ways.append(
                (
                    float(apart.mean()),
                    int((apart < 0.0006).sum()),
                    f"{name}, {subset[1:] or 'all'}, {sign}, by {weight}",
                )
            )
        best = min(ways)
        exact = max(way[1] for way in ways)
        found[f"{column} {statistic}"] = {"way": best[2], "mean_distance": round(best[0], 4), "most_exact_of_8": exact}
    return {"nearest": found}


def _by_function(rows: list[dict[str, Any]], column: str, sign: Any, measure: Any, by_trace: bool) -> Any:
    """The statistic of each function, over its sentences or over the traces' own values; 0 where there is no sentence."""
    groups: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        groups.setdefault(function(row["tags"]), {}).setdefault(row["trace_id"], []).append(float(sign(row[column])))
    values = []
    for name in FUNCTIONS:
        own = list(groups.get(name, {"": [0.0]}).values())
        values.append(
            measure([measure(each) for each in own] if by_trace else [value for each in own for value in each])
        )
    return np.array(values)


def _cell(values: Any, traces: Any, statistic: str) -> dict[str, Any]:
    measure = np.mean if statistic == "mean" else np.median
    generator = np.random.default_rng(0)
    names = np.unique(traces)
    groups = [values[traces == name] for name in names]
    drawn = [
        float(measure(np.concatenate([groups[place] for place in generator.integers(len(groups), size=len(groups))])))
        for _ in range(_RESAMPLES)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    cell = {"value": round(float(measure(values)), 4), "low": round(float(low), 4), "high": round(float(high), 4)}
    return cell | {"n": len(values), "traces": len(groups)}


if __name__ == "__main__":
    main()
