"""Sums of attention weights over sentences, block by block: what every head gives to every sentence from far enough behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from antidistill.anchors.attention.blocks import Block
from antidistill.anchors.receiver_heads.options import Options
from antidistill.anchors.tokens import TokenMap
from antidistill.measure.intervals import Values


class Plan(NamedTuple):
    """What a block of rows is summed with; the same for every head and layer.

    Attributes:
        first, stop: the sentences of the rows, half open.
        chosen: those of the block's rows that belong to a sentence.
        shares: what a row counts in the mean of its sentence, shape (sentences, chosen rows).
        reached: sentences before this one get something that counts.
    """

    first: int
    stop: int
    chosen: slice
    shares: Values
    reached: int


@dataclass(frozen=True)
class Sentences:
    """The sentences of a trace that have tokens, and how their weights are summed.

    Attributes:
        starts, ends: tokens of each sentence, half open, contiguous.
        options: gap, depth, sink.
        whole: keep the sentence x sentence matrix of every watched head.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    options: Options
    whole: bool = False
    _plans: dict[tuple[int, int], Plan] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, tokens: TokenMap, options: Options, whole: bool = False) -> Sentences:
        """Those of a trace."""
        real = tokens.sizes > 0
        return cls(tokens.starts[real], tokens.ends[real], options, whole)

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def shuffles(self) -> list[NDArray[np.int64]]:
        """For each row an order of the sentences that it counts for, the same for all heads: the null."""
        generator = np.random.default_rng(self.options.seed)
        return [generator.permutation(max(row - self.options.gap + 1, 0)) for row in range(len(self))]

    def plan(self, rows: range) -> Plan:
        """How the rows of a block are summed."""
        known = self._plans.get((rows.start, rows.stop))
        if known is None:
            known = self._plans[rows.start, rows.stop] = self._plan(rows)
        return known

    def _plan(self, rows: range) -> Plan:
        start = min(max(rows.start, int(self.starts[0])), rows.stop)
        stop = max(min(rows.stop, int(self.ends[-1])), start)
        owners = np.searchsorted(self.ends, np.arange(start, stop), "right")
        first, last = (int(owners[0]), int(owners[-1]) + 1) if len(owners) else (0, 0)
        shares = np.zeros((last - first, stop - start), dtype=np.float64)
        count = np.arange(start, stop) + 1 if self.options.depth == "token" else np.ones(stop - start)
        shares[owners - first, np.arange(stop - start)] = count / (self.ends - self.starts)[owners]
        reached = last if self.whole else max(0, last - self.options.gap)
        return Plan(first, last, slice(start - rows.start, stop - rows.start), shares, reached)


class LayerSums:
    """The sums of the watched heads of one layer (`attention.blocks.Taker`).

    Attributes:
        totals: per head and sentence, the sum over the rows at least `gap` later, shape (heads, sentences).
        shuffled: the same after each row was shuffled, shape (heads, sentences).
        matrix: means over pairs of sentences, shape (heads, sentences, sentences), row = the later one; if wanted.
    """

    def __init__(self, sentences: Sentences, heads: int) -> None:
        self._sentences, count = sentences, len(sentences)
        self.totals, self.shuffled = np.zeros((heads, count)), np.zeros((heads, count))
        self.matrix = np.zeros((heads, count, count), dtype=np.float32) if sentences.whole else None
        self._open = np.zeros((heads, 0, count))  # the row that is not complete, if there is one

    def pool(self, block: Block) -> Values:
        """Means over the pairs of a block, shape (heads, sentences of the rows, sentences); not yet whole at its edges."""
        import torch

        known, plan = self._sentences, self._sentences.plan(block.rows)
        pooled = np.zeros((len(block.sums), plan.stop - plan.first, plan.reached))
        if not pooled.size:
            return pooled
        lowest, highest = max(int(known.starts[0]), block.columns.start), int(known.ends[plan.reached - 1])
        if highest <= lowest:
            return pooled
        part = slice(lowest - block.columns.start, highest - block.columns.start)
        sums = self._sums(block, plan.chosen)
        weights = torch.from_numpy(plan.shares).to(sums.device, torch.float32)[None] / sums[:, None, :]
        means = torch.bmm(weights, block.exponentials[:, plan.chosen, part]).cpu().numpy()
        seen = int(np.searchsorted(known.ends, lowest, "right"))  # a window may end before the first sentences
        bounds = np.maximum(known.starts[seen : plan.reached] - lowest, 0)
        sizes = (known.ends - known.starts)[seen : plan.reached]
        pooled[:, :, seen:] = np.add.reduceat(means, bounds, axis=-1, dtype=np.float64) / sizes
        return pooled

    def _sums(self, block: Block, chosen: slice) -> Any:
        """What the weights of each row are divided by, shape (heads, rows)."""
        if self._sentences.options.drop_sink and block.columns.start == 0:
            # Summed anew: what is left of a row beside its sink may be far below the sink's rounding error.
            return block.exponentials[:, chosen, 1:].sum(-1)
        return block.sums[:, chosen]

    def add(self, rows: range, pooled: Sequence[Values]) -> None:
        """Adds the blocks of the same rows; a sentence counts once its last row is there."""
        plan = self._sentences.plan(rows)
        if plan.stop == plan.first:
            return
        opened = np.zeros((len(self.totals), plan.stop - plan.first, len(self._sentences)))
        opened[:, : self._open.shape[1]] = self._open
        opened[:, :, : plan.reached] += np.concatenate(pooled)
        complete = plan.stop - (0 if self._sentences.ends[plan.stop - 1] <= rows.stop else 1)
        for row in range(plan.first, complete):
            self._count(row, opened[:, row - plan.first])
        self._open = opened[:, complete - plan.first :]

    def _count(self, row: int, means: Values) -> None:
        """A whole row: to the matrix, to the totals and, shuffled, to the null."""
        if self.matrix is not None:
            self.matrix[:, row, : row + 1] = means[:, : row + 1]
        options = self._sentences.options
        reached = max(row - options.gap + 1, 0)
        if not reached:
            return
        counted = means[:, :reached]
        if options.depth == "rank":
            counted = rankdata(counted, axis=1) / reached
        self.totals[:, :reached] += counted
        self.shuffled[:, :reached] += counted[:, self._sentences.shuffles[row]]
