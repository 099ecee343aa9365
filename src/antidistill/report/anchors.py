"""The page of thought anchors: heat maps, scores by position, matrices and heads, in one HTML file that loads nothing."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np

from antidistill.anchors.functions.base import FUNCTIONS
from antidistill.anchors.scores import Scores
from antidistill.anchors.table import Scored
from antidistill.measure.intervals import Values
from antidistill.report.page import asset, environment, policy

_LARGEST = 800
"""Sentences up to which a matrix is shown; one byte for each pair is in the page."""
_PAIRS = 10
_MATRICES = ("matrix", "centred", "log")
"""Names under which scorers keep a matrix (target sentence x sentence looked at), the first that is there."""


def render(rows: Sequence[Scored], source: str, total: int) -> str:
    """The page of these traces.

    Args:
        rows: what is shown; the text of all traces is in the page.
        source: what the traces were read from.
        total: rows of the source.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    script, style = asset("keys.js") + asset("anchors.js"), asset("report.css") + asset("anchors.css")
    return (
        environment()
        .get_template("anchors.html")
        .render(
            traces=[_trace(row) for row in rows],
            functions=FUNCTIONS,
            source=source,
            total=total,
            script=script,
            style=style,
            policy=policy(script, style),
            version=metadata.version("antidistill"),
        )
    )


def _trace(row: Scored) -> dict[str, Any]:
    trace = row.case.trace
    return {
        "id": trace.id,
        "prompt": trace.prompt,
        "sentences": list(row.sentences),
        "spans": [[sentence.start, sentence.end] for sentence in row.sentences],
        "functions": list(row.functions),
        "scorers": {name: _scores(scores) for name, scores in row.scores.items()},
    }


def _scores(scores: Scores) -> dict[str, Any]:
    """What the page shows of one scorer; `lines` are curves over the sentences, null where there is no number."""
    evidence = scores.evidence
    shown: dict[str, Any] = {
        "values": list(scores.values),
        "ranks": list(scores.ranks),
        "reason": scores.reason,
        "variant": {
            name: value for name, value in scores.variant.items() if isinstance(value, str | int | float | bool)
        },
    }
    if "profiles" in evidence:
        shown["lines"] = [_numbers(line) for line in np.asarray(evidence["profiles"])]
    if "null" in evidence and np.ndim(evidence["null"]) == 1:
        shown["null"] = _numbers(np.asarray(evidence["null"]))
    if isinstance(evidence.get("receivers"), Mapping):
        shown["heads"] = _heads(evidence["receivers"])
    matrix = next((np.asarray(evidence[name]) for name in _MATRICES if name in evidence), None)
    if matrix is not None and matrix.ndim == 2 and 1 < len(matrix) <= _LARGEST:
        shown["matrix"] = _matrix(matrix)
    return shown


def _heads(receivers: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        [*head, _round(sharp), _round(null)]
        for head, sharp, null in zip(receivers["heads"], receivers["sharpness"], receivers["null"], strict=True)
    ]
    estimates = {name: receivers.get(name) for name in ("reliability", "overlap")}
    return {"rows": rows, "above_null": receivers["above_null"], "traces": receivers.get("traces"), **estimates}


def _numbers(values: Values) -> list[float | None]:
    return [_round(float(value)) for value in values]


def _round(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None


def _matrix(matrix: Values) -> dict[str, Any]:
    """One byte per pair below the diagonal, row by row: 0 for none, 1 to 255 by rank, so that outliers hide nothing.

    And the strongest pairs with at least two sentences between them, as [later, earlier, value].
    """
    count = len(matrix)
    below = np.tril(np.ones((count, count), dtype=bool), -1) & np.isfinite(matrix)
    shades = np.zeros((count, count), dtype=np.uint8)
    order = np.argsort(np.argsort(matrix[below], kind="stable"), kind="stable")
    shades[below] = 1 + (254 * order // max(len(order) - 1, 1)).astype(np.uint8)
    far = below & np.tril(np.ones((count, count), dtype=bool), -3)
    later, earlier = np.nonzero(far)
    best = np.argsort(-matrix[far], kind="stable")[:_PAIRS]
    pairs = [[int(later[one]), int(earlier[one]), _round(float(matrix[later[one], earlier[one]]))] for one in best]
    return {"size": count, "bytes": base64.b64encode(shades.tobytes()).decode(), "pairs": pairs}
