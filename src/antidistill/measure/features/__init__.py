"""Numbers that describe one trace without its original: the ground that most unpaired detectors stand on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from antidistill.measure.features.cohesion import cohesion
from antidistill.measure.features.context import context
from antidistill.measure.features.length import length
from antidistill.measure.features.markers import marker_gaps, marker_rate, marker_seats
from antidistill.measure.features.numbers import numbers
from antidistill.measure.features.openers import openers
from antidistill.measure.features.repetition import repetition
from antidistill.measure.features.shape import shape
from antidistill.measure.features.summary import prefixed
from antidistill.measure.features.surface import surface
from antidistill.measure.features.view import Values, View, view
from antidistill.trace import Trace

Group = Callable[[View], dict[str, float]]

GROUPS: dict[str, Group] = {
    "length": length,
    "shape": shape,
    "surface": surface,
    "marker-rate": marker_rate,
    "marker-gaps": marker_gaps,
    "marker-seats": marker_seats,
    "openers": openers,
    "numbers": numbers,
    "cohesion": cohesion,
    "repetition": repetition,
    "context": context,
}
"""Name of a group of features -> the function that computes it from a view; add a line to add a group."""


def describe(trace: Trace, groups: Sequence[str] = tuple(GROUPS)) -> dict[str, float]:
    """The features of one trace, named `group.feature`."""
    seen = view(trace)
    values: dict[str, float] = {}
    for group in groups:
        values |= prefixed(group, GROUPS[group](seen))
    return values


def table(traces: Sequence[Trace]) -> tuple[list[str], Values]:
    """Names (n_features) and values (n_traces, n_features) of all features; row i depends on trace i alone."""
    rows = [describe(trace) for trace in traces]
    names = list(rows[0]) if rows else []
    return names, np.array([list(row.values()) for row in rows], dtype=np.float64).reshape(len(rows), len(names))
