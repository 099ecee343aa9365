"""Sums of attention weights over sentences, block by block: what every head gives to every sentence from far enough behind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from antidistill.anchors.attention.blocks import Block
from antidistill.anchors.receiver_heads.options import Options
from antidistill.anchors.tokens import TokenMap
from antidistill.measure.intervals import Values


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

    @classmethod
    def of(cls, tokens: TokenMap, options: Options, whole: bool = False) -> Sentences:
        """Those of a trace."""
        real = tokens.sizes > 0
        return cls(tokens.starts[real], tokens.ends[real], options, whole)

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def owners(self) -> NDArray[np.int64]:
        """Sentence of each token from the first sentence's first to the last one's last."""
        return np.repeat(np.arange(len(self)), self.ends - self.starts)

    @cached_property
    def shuffles(self) -> list[NDArray[np.int64]]:
        """For each row an order of the sentences that it counts for, the same for all heads: the null."""
        generator = np.random.default_rng(self.options.seed)
        return [generator.permutation(max(row - self.options.gap + 1, 0)) for row in range(len(self))]


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

    def pool(self, block: Block) -> Any:
        """Means over the pairs of a block, shape (heads, sentences of the rows, sentences); not yet whole at its edges."""
        import torch

        rows, owned = self._owned(block.rows)
        known = self._sentences
        last = int(owned[-1]) + 1 if len(owned) else 0
        reached = last if known.whole else max(0, last - known.options.gap)
        if not reached:
            return torch.zeros(len(block.sums), 0, 0)
        first = int(owned[0])
        weights = self._weights(block, rows, owned - first)
        lowest, highest = max(int(known.starts[0]), block.columns.start), int(known.ends[reached - 1])
        if highest <= lowest:
            return torch.zeros(len(block.sums), last - first, 0)
        chosen = slice(rows.start - block.rows.start, rows.stop - block.rows.start)
        part = slice(lowest - block.columns.start, highest - block.columns.start)
        means = torch.bmm(weights, block.exponentials[:, chosen, part])
        return _by_sentence(means, known.starts[:reached] - lowest, known.ends[:reached] - lowest)

    def _owned(self, rows: range) -> tuple[range, NDArray[np.int64]]:
        """The rows that belong to a sentence, and the sentence of each."""
        known = self._sentences
        base = int(known.starts[0])
        start = min(max(rows.start, base), rows.stop)
        stop = max(min(rows.stop, int(known.ends[-1])), start)
        return range(start, stop), known.owners[start - base : stop - base] if stop > start else known.owners[:0]

    def _weights(self, block: Block, rows: range, places: NDArray[np.int64]) -> Any:
        """What each row of exponentials counts in the mean of its sentence, shape (heads, sentences, rows)."""
        import torch

        known, device = self._sentences, block.sums.device
        first = int(known.owners[rows.start - int(known.starts[0])])
        share = 1.0 / (known.ends - known.starts)[places + first]
        if known.options.depth == "token":
            share = share * (np.arange(rows.start, rows.stop) + 1)
        chosen = slice(rows.start - block.rows.start, rows.stop - block.rows.start)
        sums = block.sums[:, chosen]
        if known.options.drop_sink and block.columns.start == 0:
            # Summed anew: what is left of a row beside its sink may be far below the sink's rounding error.
            sums = block.exponentials[:, chosen, 1:].sum(-1)
        weights = torch.zeros(len(sums), int(places[-1]) + 1, len(rows), device=device)
        at = torch.from_numpy(places).to(device), torch.arange(len(rows), device=device)
        weights[:, at[0], at[1]] = torch.from_numpy(share).to(device, torch.float32) / sums
        return weights

    def add(self, rows: range, pooled: Any) -> None:
        """Adds the blocks of the same rows; a sentence counts once its last row is there."""
        means = np.asarray(pooled.cpu().numpy(), dtype=np.float64)
        owned = self._owned(rows)[1]
        if not len(owned):
            return
        first, stop = int(owned[0]), int(owned[-1]) + 1
        opened = np.zeros((len(means), stop - first, len(self._sentences)))
        opened[:, : self._open.shape[1]] = self._open
        opened[:, : means.shape[1], : means.shape[2]] += means
        complete = stop - (0 if self._sentences.ends[stop - 1] <= rows.stop else 1)
        for row in range(first, complete):
            self._count(row, opened[:, row - first])
        self._open = opened[:, complete - first :]

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


def _by_sentence(means: Any, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Any:
    """Means over the keys of each sentence; keys out of range count as zero. Shape (heads, rows, sentences), float64."""
    import torch

    keys = means.shape[-1]
    running = torch.nn.functional.pad(means.double().cumsum(-1), (1, 0))
    bounds = [torch.from_numpy(np.clip(places, 0, keys)).to(means.device) for places in (starts, ends)]
    sizes = torch.from_numpy(ends - starts).to(means.device)
    return (running[..., bounds[1]] - running[..., bounds[0]]) / sizes
