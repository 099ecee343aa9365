"""Running a model once over a text while its attention is watched: through transformers' interface, or by hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar

from antidistill.anchors.attention import hooks
from antidistill.anchors.attention.blocks import Call
from antidistill.anchors.attention.visible import lazy_mask
from antidistill.anchors.attention.watch import Enough, Watch
from antidistill.errors import InputError

IMPLEMENTATION = "antidistill"
"""Name of the attention function in transformers' `AttentionInterface` and `AttentionMaskInterface`."""

Way = Callable[[Any, Watch], AbstractContextManager[Any]]
"""Reaches the attention of a model while it is open."""
Result = TypeVar("Result")

_watch: ContextVar[Watch] = ContextVar("watch")


def watched_attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    scaling: float | None = None,
    softcap: float | None = None,
    s_aux: Any = None,
    position_bias: Any = None,
    **_: Any,
) -> tuple[Any, None]:
    """An attention function for `AttentionInterface`: the output of the usual ones, and the weights to the watch."""
    if position_bias is not None or not getattr(module, "is_causal", True) or query.shape[0] != 1:
        raise InputError(
            f"{type(module).__name__} attends with a position bias, in both directions or to a batch: give a causal language "
            "model with rotary or no positions in its attention."
        )
    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    watch = _watch.get()
    call = Call(query[0], key[0], value[0], factor, softcap, s_aux, attention_mask)
    return watch.attention(call, int(module.layer_idx))[None], None


def read(model: Any, ids: Any, watch: Watch, chunk: int | None = None) -> None:
    """Reads a text once, without the language model head.

    Args:
        model: a causal language model of the transformers library.
        ids: token numbers, shape (tokens,).
        watch: what is watched.
        chunk: tokens read at a time; bounds the memory of what is not attention. None for all at once.

    Raises:
        InputError: the model has no attention that can be watched.
    """
    if getattr(model.config, "is_encoder_decoder", False):
        raise InputError(f"{type(model).__name__} is an encoder and a decoder: give a causal language model.")
    read_by(model, watch, lambda: _forward(model, ids, chunk))


def read_by(model: Any, watch: Watch, forward: Callable[[], Result]) -> tuple[Result, Way]:
    """What a reading gives under the first way that shows attention to the watch, and that way.

    Raises:
        InputError: there is none.
    """
    for way in _ways(model):
        with way(model, watch):
            result = forward()
        if watch.layers:
            return result, way
    raise unwatched(model)


def unwatched(model: Any) -> InputError:
    """What is raised where a model has no attention that can be watched."""
    return InputError(
        f"no attention of {type(model).__name__} can be watched: it neither goes through transformers' AttentionInterface or "
        "scaled_dot_product_attention nor has q_proj, k_proj and rotary positions; give a model with attention."
    )


def _ways(model: Any) -> list[Way]:
    """How the attention of a model may be reached, the best way first."""
    able = getattr(model, "_can_set_attn_implementation", lambda: False)()
    return [*([through_interface] if able else []), hooks.through_kernel, hooks.through_projections]


@contextmanager
def through_interface(model: Any, watch: Watch) -> Iterator[None]:
    """The model's attention goes through `watched_attention` inside; afterwards all is as it was."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(IMPLEMENTATION, watched_attention)
    AttentionMaskInterface.register(IMPLEMENTATION, lazy_mask)
    before = model.config._attn_implementation
    token = _watch.set(watch)
    try:
        model.set_attn_implementation(IMPLEMENTATION)
        yield
    finally:
        model.set_attn_implementation(before)
        _watch.reset(token)


def _forward(model: Any, ids: Any, chunk: int | None) -> None:
    import torch

    body = model.get_decoder() if hasattr(model, "get_decoder") else model.base_model
    pieces = ids[None].to(model.device).split(chunk or len(ids), dim=1)
    with torch.inference_mode(), suppress(Enough):
        if len(pieces) == 1:
            body(input_ids=pieces[0], use_cache=False)
            return
    cache = new_cache()
    for piece in pieces if len(pieces) > 1 else ():
        with torch.inference_mode(), suppress(Enough):
            body(input_ids=piece, past_key_values=cache, use_cache=True)


def new_cache() -> Any:
    """A cache that keeps all keys of all layers, also of those that look through a window."""
    from transformers import DynamicCache

    return DynamicCache()
