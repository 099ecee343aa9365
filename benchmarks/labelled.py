"""Reads traces whose sentences others labelled: the columns of `labels_thought_anchors_math.parquet` in the shared data."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from antidistill import Sentence, Trace

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
LABELS = SHARED / "labels_thought_anchors_math.parquet"
TRACES = SHARED / "traces_thought_anchors_math.parquet"
IMPORTANCE = "counterfactual_importance_kl"


@dataclass(frozen=True, slots=True)
class LabelledTrace:
    """A trace, the sentences that the labels are about, and the labels.

    Attributes:
        trace: the trace.
        sentences: spans of the reasoning that tile it from the first labelled sentence on.
        functions: one per sentence.
        importance: published counterfactual importance (KL, nats, 0 and more; higher = matters more), one per sentence.
        problem: name of the problem.
    """

    trace: Trace
    sentences: list[Sentence]
    functions: list[str]
    importance: list[float]
    problem: str


def read(labels: Path = LABELS, traces: Path = TRACES) -> list[LabelledTrace]:
    """The labelled traces, by id."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in pq.read_table(labels).to_pylist():
        rows.setdefault(row["trace_id"], []).append(row)
    texts = {row["id"]: row for row in pq.read_table(traces).to_pylist()}
    return [_labelled(texts[name], sorted(rows[name], key=lambda row: row["idx"])) for name in sorted(rows)]


def _labelled(text: dict[str, Any], rows: list[dict[str, Any]]) -> LabelledTrace:
    trace = Trace(text["id"], text["question"], text["reasoning"], text["response"], {"model": text["model"]})
    starts = _starts(trace.reasoning, [row["text"] for row in rows])
    ends = [*starts[1:], len(trace.reasoning)]
    sentences = [Sentence(trace.reasoning[a:b], a, b) for a, b in zip(starts, ends, strict=True)]
    functions = [json.loads(row["tags"])[0] for row in rows]
    importance = [float(row[IMPORTANCE]) for row in rows]
    return LabelledTrace(trace, sentences, functions, importance, text["id"].rpartition("/")[2])


def _starts(reasoning: str, texts: list[str]) -> list[int]:
    """Where each labelled sentence starts; the labels have lost the kind of white space inside of them."""
    starts: list[int] = []
    position = 0
    for text in texts:
        pattern = r"\s*".join(re.escape(word) for word in text.split())
        found = re.compile(pattern).search(reasoning, position)
        if found is None:
            raise SystemExit(f"the labelled sentence {text[:60]!r} is not in its trace behind character {position}.")
        starts.append(found.start())
        position = found.end()
    return starts
