"""The vertical profile of every head of a model on one trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antidistill.anchors.attention.read import read
from antidistill.anchors.attention.watch import Watch
from antidistill.anchors.receiver_heads.options import Options
from antidistill.anchors.receiver_heads.sums import LayerSums, Sentences
from antidistill.anchors.tokens import TokenMap
from antidistill.errors import RowError
from antidistill.measure.intervals import Values

Head = tuple[int, int]
"""Layer and head, both counted from 0."""


@dataclass(frozen=True)
class Profile:
    """What the sentences of one trace get from far behind, by head.

    Attributes:
        heads: the watched heads, ascending.
        values: vertical scores v: mean, over the sentences at least `gap` later, of the attention weight that a token of theirs
            gives to a token of the sentence; shape (heads, sentences). NaN for the last `gap` sentences and for those without a
            token. With depth control the unit changes (see `Options.depth`).
        shuffled: the same with every row shuffled over its sentences: no sentence is special; shape (heads, sentences).
        matrix: the sentence x sentence means of each head, shape (heads, sentences, sentences), if they were asked for; zero
            above the diagonal.
    """

    heads: tuple[Head, ...]
    values: Values
    shuffled: Values
    matrix: NDArray[np.float32] | None = None

    @cached_property
    def counted(self) -> NDArray[np.bool_]:
        """Sentences that have a score, shape (sentences,)."""
        return np.asarray(np.isfinite(self.values).all(axis=0), dtype=np.bool_)


class _Reader:
    """Watches some heads, or all, and sums what they give (`attention.watch.Reader`)."""

    def __init__(self, sentences: Sentences, heads: Sequence[Head] | None, layers: int | None) -> None:
        self._sentences, self._heads, self._layers = sentences, heads, layers
        self.sums: dict[int, LayerSums] = {}
        self.watched: dict[int, list[int]] = {}

    @property
    def last_layer(self) -> int | None:
        """The last layer of which a head is wanted: what stands behind its attention is not computed."""
        if self._heads:
            return max(layer for layer, _ in self._heads)
        return None if self._layers is None else self._layers - 1

    def heads(self, layer: int, count: int) -> list[int]:
        """The heads of a layer that are wanted."""
        if self._heads is None:
            return list(range(count))
        return sorted(head for own, head in self._heads if own == layer and head < count)

    def taker(self, layer: int, heads: Sequence[int]) -> LayerSums:
        """The sums of a layer; the same ones for every chunk of the text."""
        self.watched[layer] = list(heads)
        return self.sums.setdefault(layer, LayerSums(self._sentences, len(heads)))


def profile(
    model: Any,
    tokens: TokenMap,
    options: Options,
    heads: Sequence[Head] | None = None,
    matrix: bool = False,
    chunk: int | None = None,
) -> Profile:
    """Reads a trace once and returns the vertical profile of every head, without ever holding a square of attention.

    Memory beside the model's own: a block of some hundred queries times the keys, and heads x sentences.

    Args:
        model: a causal language model of the transformers library.
        tokens: the tokens of the trace and their sentences.
        options: gap, depth control, sink.
        heads: the heads wanted; the model stops behind the last layer that has one. None for all.
        matrix: keep the sentence x sentence matrix too.
        chunk: tokens read at a time; None for all at once.

    Raises:
        RowError: fewer sentences than the gap asks for, or attention that is not a number.
        InputError: the model has no attention that can be watched.
    """
    import torch

    sentences = Sentences.of(tokens, options, matrix)
    if len(sentences) <= options.gap:
        raise RowError(
            f"the trace has {len(sentences)} sentences with tokens and the gap is {options.gap}: no sentence has another one so "
            f"far behind it; give longer traces or a gap below {max(len(sentences), 1)}."
        )
    reader = _Reader(sentences, heads, getattr(model.config.get_text_config(), "num_hidden_layers", None))
    read(model, torch.from_numpy(tokens.ids), Watch(reader), _last_chunk(chunk, tokens))
    return _assembled(reader.watched, reader.sums, tokens, options)


def _last_chunk(chunk: int | None, tokens: TokenMap) -> int | None:
    return None if chunk is None or chunk >= len(tokens.ids) else chunk


def _assembled(
    watched: Mapping[int, list[int]], sums: Mapping[int, LayerSums], tokens: TokenMap, options: Options
) -> Profile:
    """All layers together, in the numbering of all sentences."""
    layers = sorted(sums)
    heads = tuple((layer, head) for layer in layers for head in watched[layer])
    real = np.flatnonzero(tokens.sizes > 0)
    rows = np.maximum(len(real) - options.gap - np.arange(len(real)), 0)
    numbers = [np.concatenate([part(sums[layer]) for layer in layers]) for part in (_totals, _shuffled)]
    if not all(np.isfinite(each).all() for each in numbers):
        bad = next(head for head, row in zip(heads, numbers[0], strict=True) if not np.isfinite(row).all())
        raise RowError(
            f"the attention of layer {bad[0]}, head {bad[1]} is not a number: load the model in float32 or bfloat16."
        )
    spread = [np.full((len(heads), len(tokens.starts)), np.nan) for _ in numbers]
    with np.errstate(invalid="ignore", divide="ignore"):
        for target, each in zip(spread, numbers, strict=True):
            target[:, real] = np.where(rows > 0, each / rows, np.nan)
    return Profile(heads, spread[0], spread[1], _matrices([sums[layer] for layer in layers], real, len(tokens.starts)))


def _totals(sums: LayerSums) -> Values:
    return sums.totals


def _shuffled(sums: LayerSums) -> Values:
    return sums.shuffled


def _matrices(sums: Sequence[LayerSums], real: NDArray[np.int64], count: int) -> NDArray[np.float32] | None:
    kept = [layer.matrix for layer in sums if layer.matrix is not None]
    if not kept:
        return None
    joined = np.concatenate(kept)
    matrix = np.zeros((len(joined), count, count), dtype=np.float32)
    matrix[:, real[:, None], real[None, :]] = joined
    return matrix
