"""Reading a text as if no token could look at one of its sentences.

A sentence whose keys are masked in every layer for every query reaches nothing behind it. So it need not be there: its keys and
values are left out, the tokens behind it keep their positions, and no mask is made. Only a layer that looks through a window has
to be told of the gap, since it counts the tokens between.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from antidistill.anchors.attention.blocks import Call, Taker
from antidistill.anchors.attention.read import Way, read_by, through_interface, unwatched
from antidistill.anchors.attention.visible import Visible
from antidistill.anchors.attention.watch import Watch
from antidistill.anchors.prefix import Prefix, body_of, pieces, read_on, read_prefix
from antidistill.errors import InputError


class _Nothing:
    """Watches no head (`attention.watch.Reader`)."""

    last_layer: int | None = None

    def heads(self, layer: int, count: int) -> list[int]:
        return []

    def taker(self, layer: int, heads: Sequence[int]) -> Taker:
        raise AssertionError("no head is watched")


@dataclass
class _Gap(Watch):
    """Attention over a text of which some tokens are left out.

    Attributes:
        left_out: numbers of those tokens.
    """

    left_out: range = field(default=range(0))

    def attention(self, call: Call, layer: int) -> Any:
        """As of `Watch`, with windows that count the tokens that are left out."""
        if self.left_out and isinstance(call.visible, Visible):
            call = replace(call, visible=replace(call.visible, rule=_around(self.left_out, call.visible.rule)))
        return super().attention(call, layer)


def _around(left_out: range, rule: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a mask in the numbering of the whole text; it is asked in that of the text without `left_out`."""

    def moved(batch: Any, head: Any, query: Any, key: Any) -> Any:
        query, key = (number + (number >= left_out.start) * len(left_out) for number in (query, key))
        return rule(batch, head, query, key)

    return moved


@dataclass(frozen=True)
class Reading:
    """A text that a model has read, ready to be read again without one of its sentences.

    Attributes:
        model: a causal language model of the transformers library.
        ids: token numbers, shape (tokens,).
        prefix: what the whole text left.
        way: how the model's attention is reached.
        chunk: tokens read at a time.
    """

    model: Any
    ids: Any
    prefix: Prefix
    way: Way
    chunk: int

    def behind(self, left_out: range) -> Any:
        """Last hidden states of the tokens behind `left_out`, which nothing can look at; shape (tokens, width)."""
        import torch

        cache = self.prefix.before(left_out.start)
        with self.way(self.model, _Gap(_Nothing(), left_out=left_out)):
            parts = pieces(self.ids, left_out.stop, self.chunk)
            return torch.cat([read_on(self.model, part, cache, first) for part, first in parts])


def read_whole(model: Any, ids: Any, chunk: int) -> Reading:
    """Reads a text once and keeps what every token left.

    Raises:
        InputError: the model has no attention that can be reached, or one that leaves no gap.
    """
    if (
        getattr(model, "_is_stateful", False)
        or "position_ids" not in inspect.signature(body_of(model).forward).parameters
    ):
        raise unwatched(model)
    prefix, way = read_by(model, _Gap(_Nothing()), lambda: read_prefix(model, ids, chunk))
    if way is not through_interface and _has_window(model):
        raise InputError(
            f"{type(model).__name__} looks through a window and does not go through transformers' AttentionInterface, so no "
            "sentence can be left out of it: give another model."
        )
    return Reading(model, ids, prefix, way, chunk)


def _has_window(model: Any) -> bool:
    config = model.config.get_text_config()
    kinds = getattr(config, "layer_types", None)
    windows = getattr(config, "sliding_window", None) is not None
    return windows and (kinds is None or any(kind != "full_attention" for kind in kinds))
