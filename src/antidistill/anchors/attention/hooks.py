"""Watching models that do not go through transformers' `AttentionInterface`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from antidistill.anchors.attention.blocks import Call
from antidistill.anchors.attention.watch import Enough, Watch
from antidistill.errors import InputError


@contextmanager
def through_kernel(model: Any, watch: Watch) -> Iterator[None]:
    """Stands in for `torch.nn.functional.scaled_dot_product_attention`, which most other models call.

    Layers are numbered in the order of their calls. A mask that the model made itself is kept.
    """
    from torch.nn.functional import scaled_dot_product_attention
    from torch.overrides import TorchFunctionMode

    calls = {"layer": 0}
    start = model.register_forward_pre_hook(lambda *_: calls.update(layer=0))
    body = model.get_decoder() if hasattr(model, "get_decoder") else model.base_model
    begin = body.register_forward_pre_hook(lambda *_: calls.update(layer=0))

    class Mode(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is not scaled_dot_product_attention:
                return func(*args, **(kwargs or {}))
            call = _kernel_call(watch, *args, **(kwargs or {}))
            calls["layer"] += 1
            return watch.attention(call, calls["layer"] - 1).transpose(0, 1)[None]

    try:
        with Mode():
            yield
    finally:
        start.remove()
        begin.remove()


def _kernel_call(
    watch: Watch,
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Call:
    """A call of the kernel, in its own argument names."""
    causal = attn_mask is not None or query.shape[2] == 1 or (is_causal and query.shape[2] == key.shape[2])
    if query.shape[0] != 1 or not causal:
        raise InputError("the model attends in both directions or to a batch: give a causal language model.")
    mask = None if attn_mask is None else attn_mask.expand(1, 1, *attn_mask.shape[-2:])[0, 0]
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    return Call(query[0], key[0], value[0], factor, visible=mask)


@contextmanager
def through_projections(model: Any, watch: Watch) -> Iterator[None]:
    """Reads queries and keys behind `q_proj` and `k_proj` (or `q_norm` and `k_norm`), and turns them as the module does.

    For modules that take `position_embeddings` and whose file has `apply_rotary_pos_emb`. The model computes its attention
    itself, so what memory it takes is its own.
    """
    modules = [module for module in model.modules() if hasattr(module, "q_proj") and hasattr(module, "k_proj")]
    modules = [module for module in modules if hasattr(sys.modules[type(module).__module__], "apply_rotary_pos_emb")]
    handles: list[Any] = []
    for number, module in enumerate(modules):
        handles += _tap(module, int(getattr(module, "layer_idx", number)), watch)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _tap(module: Any, layer: int, watch: Watch) -> list[Any]:
    """Hooks on one attention module."""
    seen: dict[str, Any] = {}

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: seen.update({name: output})

    def before(_module: Any, args: Any, kwargs: Any) -> None:
        seen["positions"] = kwargs.get("position_embeddings")

    def after(_module: Any, _args: Any, _output: Any) -> None:
        if seen.get("positions") is not None and {"q", "k"} <= seen.keys():
            watch.layers.add(layer)
            watch_projected(module, layer, watch, seen)

    taps = [module.register_forward_pre_hook(before, with_kwargs=True), module.register_forward_hook(after)]
    for name in ("q", "k"):
        source = getattr(module, f"{name}_norm", None) or getattr(module, f"{name}_proj")
        taps.append(source.register_forward_hook(keep(name)))
    return taps


def watch_projected(module: Any, layer: int, watch: Watch, seen: dict[str, Any]) -> None:
    """Gives the weights that follow from projected queries and keys to the reader."""
    import torch

    from antidistill.anchors.attention.blocks import attend

    reader = watch.reader
    tokens = int(seen["positions"][0].shape[-2])
    query, key = (_by_head(seen[name], tokens, int(module.head_dim)) for name in ("q", "k"))
    heads = list(reader.heads(layer, int(query.shape[1])))
    if heads:
        turned = sys.modules[type(module).__module__].apply_rotary_pos_emb(query, key, *seen["positions"])
        factor = getattr(module, "scaling", int(module.head_dim) ** -0.5)
        call = Call(
            turned[0][0], turned[1][0], turned[1][0][..., :1], factor, getattr(module, "attn_logit_softcapping", None)
        )
        out = torch.empty(tokens, query.shape[1], 1, device=query.device)
        attend(call, heads, out, reader.taker(layer, heads))
    if layer == reader.last_layer:
        raise Enough


def _by_head(projected: Any, tokens: int, width: int) -> Any:
    """Queries or keys as (1, heads, tokens, dimensions); some norms give them that way, projections do not."""
    if projected.dim() == 4 and projected.shape[2] == tokens and projected.shape[1] != tokens:
        return projected
    return projected.reshape(1, tokens, -1, width).transpose(1, 2)
