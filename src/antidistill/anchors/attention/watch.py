"""Reading along while a model reads: which heads are watched, and what their attention is given to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from antidistill.anchors.attention.blocks import Call, Taker, attend


class Reader(Protocol):
    """Says which heads it wants to see, and takes their weights."""

    def heads(self, layer: int, count: int) -> Sequence[int]:
        """Heads of a layer that are watched, ascending, out of `count`."""
        ...

    def taker(self, layer: int, heads: Sequence[int]) -> Taker:
        """What the weights of the watched heads of a layer are given to."""
        ...

    @property
    def last_layer(self) -> int | None:
        """The layer behind which nothing is watched, where that is known: the model stops there."""
        ...


class Enough(BaseException):
    """Ends a forward pass that has shown all that was wanted. Not an Exception, so that no model catches it."""


@dataclass
class Watch:
    """One reading of a model.

    Attributes:
        reader: takes the weights.
        layers: layers seen so far.
    """

    reader: Reader
    layers: set[int] = field(default_factory=set)

    def attention(self, call: Call, layer: int) -> Any:
        """Output of one attention call, shape (queries, heads, value dimensions).

        Raises:
            Enough: this was the last layer that is watched.
        """
        import torch

        self.layers.add(layer)
        count = int(call.query.shape[0])
        watched = list(self.reader.heads(layer, count))
        last = layer == self.reader.last_layer
        out = torch.empty(
            call.query.shape[1], count, call.value.shape[-1], dtype=call.query.dtype, device=call.query.device
        )
        rest = [] if last else sorted(set(range(count)) - set(watched))
        if rest and _is_plain(call):
            _fused(call, rest, out)
        elif rest:
            attend(call, rest, out)
        if watched:
            attend(call, watched, None if last else out, self.reader.taker(layer, watched))
        if last:
            raise Enough
        return out


def _is_plain(call: Call) -> bool:
    """Whether the fused kernel needs no mask, so that no square is made."""
    extras = (call.softcap, call.sink, call.visible)
    return all(extra is None for extra in extras) and call.offset == 0


def _fused(call: Call, heads: list[int], out: Any) -> None:
    from torch.nn.functional import scaled_dot_product_attention

    every = len(heads) == call.query.shape[0]
    query = call.query if every else call.query[heads]
    key, value = (part if every else part[[head // call.group for head in heads]] for part in (call.key, call.value))
    result = scaled_dot_product_attention(
        query[None], key[None], value[None], is_causal=True, scale=call.scaling, enable_gqa=every and call.group > 1
    )[0].transpose(0, 1)
    if every:
        out.copy_(result)
    else:
        out[:, heads] = result
