"""The suppression matrix: what hiding a sentence does to the next-token distributions of every later one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antidistill.anchors.journal import Journal, fingerprint
from antidistill.anchors.suppression.divergence import divergences
from antidistill.anchors.suppression.masked import Reading, read_whole
from antidistill.anchors.tokens import TokenMap
from antidistill.errors import RowError
from antidistill.measure.intervals import Values

TEMPERATURE = 0.6
CHUNK = 512
_SMALLEST = 1e-9
"""Added before the logarithm, as in the original (arXiv 2506.19143)."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Direct influence of sentences on later ones; rows are the later sentences, columns the hidden ones.

    Attributes:
        raw: mean over the tokens of the row's sentence of the KL divergence of the next-token distribution without the column's
            sentence from that with it, in nats; 0 and more, higher = more influence. Exactly 0 for rows before the column's
            sentence, NaN on the diagonal and for sentences without tokens. Shape (sentences, sentences).
        log: mean of ln(KL + 1e-9), which a few tokens rule less; NaN on and above the diagonal. Same shape.
    """

    raw: Values
    log: Values

    @property
    def centred(self) -> Values:
        """`log` less the mean of each row over its columns: a row that anything moves counts no more than others."""
        below = np.isfinite(self.log)
        count = below.sum(axis=1, keepdims=True)
        sums = np.where(below, self.log, 0.0).sum(axis=1, keepdims=True)
        return np.asarray(self.log - sums / np.maximum(count, 1), dtype=np.float64)

    def influence(self, gap: int = 1) -> Values:
        """Mean of `centred` over the rows at least `gap` later, shape (sentences,); NaN where there are none.

        In nats of the logarithm; negative = less influence than the other sentences have on the same rows.
        """
        later = np.tril(np.isfinite(self.log), -gap)
        sums = np.where(later, self.centred, 0.0).sum(axis=0)
        rows = later.sum(axis=0)
        return np.where(rows > 0, sums / np.maximum(rows, 1), np.nan)


def suppression_matrix(
    model: Any,
    tokens: TokenMap,
    *,
    temperature: float = TEMPERATURE,
    chunk: int = CHUNK,
    name: str = "",
    store: Path | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Matrix:
    """Hides every sentence in turn from all later tokens, in all layers and heads, and measures what changes.

    After Thought Anchors (arXiv 2506.19143), over the whole vocabulary and not its most likely part.
    What stands before a sentence is read once for all. Memory beside the model's own: keys, values and last hidden states of
    the trace, and the logits of 128 tokens twice.

    Args:
        model: a causal language model of the transformers library.
        tokens: the tokens of the trace and their sentences.
        temperature: divides the logits; above 0.
        chunk: tokens read at a time.
        name: name of the model, which a store is bound to.
        store: file of the finished columns; where it is there, the run goes on behind them.
        progress: called with a few words before each sentence.

    Raises:
        RowError: fewer than two sentences have tokens, or the model's logits are not numbers.
        InputError: the model's attention cannot be reached.
        UsageError: the store belongs to another trace, model or setting.
    """
    import torch

    real = np.flatnonzero(tokens.sizes > 0)
    if len(real) < 2:
        raise RowError(
            f"the trace has {len(real)} sentences with tokens: there is no later one that hiding could change."
        )
    ids = torch.from_numpy(tokens.ids[: tokens.ends[real[-1]]])  # what stands behind the last sentence is not measured
    job = {"model": name, "trace": fingerprint(tokens.ids, tokens.starts, tokens.ends)}
    journal = Journal(store, {"made": "suppression", **job, "temperature": temperature, "chunk": chunk})
    columns = {int(record["sentence"]): record for record in journal}
    reading: Reading | None = None
    for number, sentence in enumerate(real[:-1]):
        if sentence in columns:
            continue
        progress(f"suppression: sentence {number + 1:,} of {len(real) - 1:,}")
        reading = reading or read_whole(model, ids, chunk)
        raw, log = _column(reading, tokens, int(sentence), real[number + 1 :], temperature)
        journal.append({"sentence": int(sentence), "raw": raw, "log": log})
    return _assembled({int(record["sentence"]): record for record in journal}, real, len(tokens.starts))


def _column(
    reading: Reading, tokens: TokenMap, sentence: int, later: NDArray[np.int64], temperature: float
) -> tuple[Values, Values]:
    """Means over each later sentence of KL and of its logarithm."""
    left_out = range(int(tokens.starts[sentence]), int(tokens.ends[sentence]))
    hidden = reading.behind(left_out)
    found = divergences(reading.model, reading.prefix.hidden[left_out.stop :], hidden, temperature)
    if not np.isfinite(found).all():
        raise RowError(
            f"without sentence {sentence} the model's next-token distribution is not a number: load it in float32 or bfloat16."
        )
    bounds, sizes = tokens.starts[later] - left_out.stop, tokens.sizes[later]
    means = [np.add.reduceat(each, bounds) / sizes for each in (found, np.log(found + _SMALLEST))]
    return means[0], means[1]


def _assembled(columns: dict[int, Any], real: NDArray[np.int64], count: int) -> Matrix:
    raw, log = np.full((count, count), np.nan), np.full((count, count), np.nan)
    for number, sentence in enumerate(real):
        raw[real[:number], sentence] = 0.0
        if sentence in columns:
            later = real[number + 1 :]
            raw[later, sentence], log[later, sentence] = columns[int(sentence)]["raw"], columns[int(sentence)]["log"]
    return Matrix(raw, log)
