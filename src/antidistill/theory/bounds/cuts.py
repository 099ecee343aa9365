"""How many transitions the cuts of real traces disturb: as they are, and as the same text would if it were scattered.

A ledger says where characters went, not which tokens they were: a symbol stands for a fixed number of characters. The counts
compare shapes of deletions. They certify nothing, because every text method chooses its places by looking at the text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Span(NamedTuple):
    """Characters `[start, end)` of the original that went, and the length of what stands there now."""

    start: int
    end: int
    inserted: int


class Cuts(NamedTuple):
    """The deletions of one trace, in symbols.

    Attributes:
        deleted: symbols that went.
        blocks: runs of deleted text.
        disturbed: transitions that the runs disturb, windows that overlap counted once.
        scattered: transitions that as many single symbols, far from each other, would disturb: at most all that are left.
        inserts: edits that put other text in place; no bound on deletions covers them.
    """

    deleted: int
    blocks: int
    disturbed: int
    scattered: int
    inserts: int


class Mean(NamedTuple):
    """A mean over traces with its 95 % interval (normal approximation); no interval for a single trace."""

    value: float
    low: float | None
    high: float | None
    n: int


def count(spans: Sequence[Span], length: int, order: int, characters: float) -> Cuts:
    """What the edits of one trace disturb.

    Args:
        spans: edits, ascending and not overlapping.
        length: characters of the original.
        order: order m of the chain, in symbols.
        characters: characters per symbol, above 0.
    """
    runs = _runs(spans)
    edges = [0, *(edge for run in runs for edge in run), length]
    kept, gone = ([math.ceil((end - start) / characters) for start, end in part] for part in _alternating(edges))
    return Cuts(
        deleted=sum(gone),
        blocks=len(runs),
        disturbed=sum(min(order, behind) for behind in kept[1:]),
        scattered=min(sum(kept), sum(gone) * order),
        inserts=sum(span.inserted > 0 for span in spans),
    )


def mean(values: Sequence[float]) -> Mean:
    """Mean and interval over traces."""
    sample: NDArray[np.float64] = np.asarray(values, dtype=float)
    centre = float(sample.mean())
    if len(sample) < 2:
        return Mean(centre, None, None, len(sample))
    half = 1.96 * float(sample.std(ddof=1)) / math.sqrt(len(sample))
    return Mean(centre, centre - half, centre + half, len(sample))


def _alternating(edges: Sequence[int]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The stretches between edges: those that stay, and those that went."""
    stretches = list(pairwise(edges))
    return stretches[::2], stretches[1::2]


def _runs(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Deleted runs: cuts that touch are one; edits that insert text are left out."""
    runs: list[tuple[int, int]] = []
    for span in spans:
        if span.inserted or span.start == span.end:
            continue
        if runs and runs[-1][1] == span.start:
            runs[-1] = (runs[-1][0], span.end)
        else:
            runs.append((span.start, span.end))
    return runs
