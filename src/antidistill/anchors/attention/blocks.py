"""Causal attention over blocks of queries that hands out its weights before they are gone.

A block of queries meets all its keys at once: one product of queries and keys, one exponential, one product with the
values. What a fused kernel throws away, the weights of the block, is shown to a `Taker`. The weights of the whole square
never exist together.

The usual subtraction of each row's maximum is replaced by the score of the query with its own key, which costs nothing: it
is one more column of the product. A sum of exponentials that leaves the range of float32 is noticed, and the block is done
again with the maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

from antidistill.anchors.attention.visible import Visible

_PRODUCT_ROWS = 192
"""Queries times heads of one product: with a few thousand keys the block stays in the processor's cache."""
_LEAST_SUM = 1e-30


@dataclass(frozen=True)
class Call:
    """One attention call of a model, batch of one.

    Attributes:
        query: shape (heads, queries, dimensions).
        key: shape (key heads, keys, dimensions); the last `queries` keys belong to the queries.
        value: shape (key heads, keys, value dimensions).
        scaling: factor of the scores.
        softcap: scores become softcap * tanh(score / softcap); None for none.
        sink: learned logit of each head that takes weight and gives nothing, shape (heads,); None for none.
        visible: which keys a query sees; None for all up to its own. A tensor is a mask (queries, keys), bool or added.
    """

    query: Any
    key: Any
    value: Any
    scaling: float
    softcap: float | None = None
    sink: Any = None
    visible: Visible | Any | None = None

    @property
    def offset(self) -> int:
        """Keys before the first query's own."""
        return int(self.key.shape[1] - self.query.shape[1])

    @property
    def group(self) -> int:
        """Query heads per key head."""
        return int(self.query.shape[0] // self.key.shape[0])

    def first_key(self, query: int) -> int:
        """Number of the first key that query number `query`, or one after it, can see."""
        return self.visible.first_key(query) if isinstance(self.visible, Visible) else 0


@dataclass(frozen=True)
class Block:
    """The weights of a few queries of some heads.

    Attributes:
        rows: numbers of the queries in the whole sequence.
        columns: numbers of the keys in the whole sequence.
        exponentials: weights times `sums`, shape (heads, rows, columns).
        sums: shape (heads, rows).
    """

    rows: range
    columns: range
    exponentials: Any
    sums: Any


class Taker(Protocol):
    """Takes what it needs from the weights of a block before the next block overwrites them."""

    def pool(self, block: Block) -> Any:
        """What is needed of one block."""
        ...

    def add(self, rows: range, pooled: Sequence[Any]) -> None:
        """What was pooled from the blocks of the same queries, which together hold all chosen heads in ascending order."""
        ...


def attend(call: Call, heads: Sequence[int], out: Any, taker: Taker | None = None) -> None:
    """Writes the attention output of some heads.

    Args:
        call: queries, keys, values.
        heads: query heads, ascending.
        out: shape (queries, heads of the model, value dimensions); only the columns of `heads` are written. None where nobody
            wants the output.
        taker: sees the weights of all `heads`, block by block in the order of the queries.
    """
    import torch

    groups = [_Group(call, key_head, list(members)) for key_head, members in groupby(heads, lambda h: h // call.group)]
    step = max(16, _PRODUCT_ROWS // call.group)
    queries = int(call.query.shape[1])
    buffer = torch.empty(call.group * step * call.key.shape[1], device=call.query.device)
    for start in range(0, queries, step):
        rows, pooled = range(start, min(start + step, queries)), []
        for group in groups:
            block = group.block(rows, buffer, out)
            if taker is not None:
                pooled.append(taker.pool(block))
        if taker is not None:
            taker.add(range(rows.start + call.offset, rows.stop + call.offset), pooled)


class _Group:
    """The chosen query heads that share one key head."""

    def __init__(self, call: Call, key_head: int, heads: list[int]) -> None:
        import torch

        self.call, self.heads = call, heads
        joined = heads[-1] - heads[0] + 1 == len(heads)
        self._at = slice(heads[0], heads[-1] + 1) if joined else heads  # a slice needs no copy
        key = call.key[key_head].float()
        self._key = torch.cat([key, torch.ones(len(key), 1, device=key.device)], 1)
        self._value = call.value[key_head].float().contiguous()
        self._sink = None if call.sink is None else call.sink[self._at].float()[:, None]

    def block(self, rows: range, buffer: Any, out: Any) -> Block:
        """The block of some queries, in `buffer`; writes their output if it is wanted."""
        call, offset = self.call, self.call.offset
        columns = range(call.first_key(rows.start), rows.stop + offset)
        products = len(self.heads) * len(rows)
        scores = buffer[: products * len(columns)].view(products, len(columns))
        query = call.query[self._at, rows.start : rows.stop].float() * call.scaling
        sums = self._weigh(query, rows, columns, scores, exact=False)
        if not bool(((sums > _LEAST_SUM) & sums.isfinite()).all()):
            sums = self._weigh(query, rows, columns, scores, exact=True)
            sums = sums.masked_fill(sums == 0, 1.0)  # a query that sees no key gets zeros
        if out is not None:
            result = (scores @ self._value[columns.start : columns.stop]).view(*query.shape[:2], -1)
            out[rows.start : rows.stop, self._at] = (result / sums[..., None]).transpose(0, 1).to(out.dtype)
        moved = range(rows.start + offset, rows.stop + offset)
        return Block(moved, columns, scores.view(len(self.heads), len(rows), len(columns)), sums)

    def _weigh(self, query: Any, rows: range, columns: range, scores: Any, exact: bool) -> Any:
        """Leaves exponentials in `scores`; returns their sums, shape (heads, rows)."""
        import torch

        keys = self._key[columns.start : columns.stop]
        shift = self._shift(query, rows)
        torch.mm(torch.cat([query, -shift], -1).flatten(0, 1), keys.T, out=scores)
        if self.call.softcap is not None:
            scores.div_(self.call.softcap).tanh_().mul_(self.call.softcap)
        tile = scores.view(*query.shape[:2], len(columns))
        self._mask(tile, rows, columns)
        if exact:
            highest = tile.amax(-1, keepdim=True)
            if self._sink is not None:
                highest = torch.maximum(highest, self._sink[..., None] - shift)
            highest = highest.masked_fill(highest == -torch.inf, 0.0)
            tile.sub_(highest)
            shift = shift + highest
        scores.exp_()
        sums = tile.sum(-1)
        return sums if self._sink is None else sums + (self._sink - shift[..., 0]).exp()

    def _shift(self, query: Any, rows: range) -> Any:
        """What is subtracted from each row's scores: that of its own key, or nothing where a cap bounds them anyway."""
        if self.call.softcap is not None:
            return query.new_zeros(*query.shape[:2], 1)
        offset = self.call.offset
        return (query * self._key[rows.start + offset : rows.stop + offset, :-1]).sum(-1, keepdim=True)

    def _mask(self, tile: Any, rows: range, columns: range) -> None:
        """Lowers the scores of what a query does not see to minus infinity."""
        import torch

        visible, count = self.call.visible, len(rows)
        if visible is None:
            square = torch.ones(count, count, dtype=torch.bool, device=tile.device).triu_(1)
            tile[..., -count:].masked_fill_(square, -torch.inf)
        elif isinstance(visible, Visible):
            tile.masked_fill_(~visible.tile(rows, columns, tile.device), -torch.inf)
        else:
            part = visible[rows.start : rows.stop, columns.start : columns.stop]
            tile.masked_fill_(~part, -torch.inf) if part.dtype == torch.bool else tile.add_(part)
