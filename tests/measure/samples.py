"""Traces and scores that the tests of this folder share."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq

from antidistill import defense, guard
from antidistill.measure.intervals import Fold, Sample
from antidistill.trace import Trace

KEY = b"a key for tests, 32 bytes long.."


def model_traces(shared, model, rows=None):
    """The traces of one model of the shared file."""
    table = pq.read_table(shared / "traces_gsm8k_4models.parquet", filters=[("model", "==", model)])
    columns = ("id", "question", "reasoning", "response")
    return [Trace(*(row[column] for column in columns)) for row in table.to_pylist()[:rows]]


def guarded_by(traces, method, **options):
    """The traces with their reasoning guarded."""
    chosen = defense(method, key=KEY, **options)
    return [replace(trace, reasoning=guard(trace, chosen).reasoning) for trace in traces]


def folds_of(clean, guarded, folds=1, first=0):
    """Scores as folds; every row is a prompt of its own."""
    clean, guarded = np.asarray(clean, dtype=float), np.asarray(guarded, dtype=float)
    ours = np.arange(len(clean)) + first
    theirs = np.arange(len(guarded)) + first + len(clean)
    return [
        Fold(Sample(clean[k::folds], ours[k::folds]), Sample(guarded[k::folds], theirs[k::folds])) for k in range(folds)
    ]
