"""A text that was read once, and the model's state behind any of its tokens: what shares a beginning is not read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from antidistill.anchors.attention.read import new_cache


@dataclass(frozen=True)
class Prefix:
    """Keys and values of every layer over a whole text, and the last hidden states.

    Attributes:
        layers: keys and values of each layer, each of shape (1, key heads, tokens, dimensions).
        hidden: what the head of the model reads, shape (tokens, width).
    """

    layers: tuple[tuple[Any, Any], ...]
    hidden: Any

    def before(self, token: int, rows: int = 1) -> Any:
        """A cache that holds the first `token` tokens, `rows` times; it grows without touching this one."""
        cache = new_cache()
        for number, (keys, values) in enumerate(self.layers):
            if token:
                cache.update(*(part[:, :, :token].expand(rows, -1, -1, -1) for part in (keys, values)), number)
        return cache


def read_prefix(model: Any, ids: Any, chunk: int) -> Prefix:
    """Reads a text once.

    Args:
        model: a causal language model of the transformers library.
        ids: token numbers, shape (tokens,).
        chunk: tokens read at a time.
    """
    import torch

    cache = new_cache()
    hidden = [read_on(model, piece, cache, start) for piece, start in pieces(ids, 0, chunk)]
    layers = tuple((layer.keys, layer.values) for layer in cache.layers)
    return Prefix(layers, torch.cat(hidden))


def pieces(ids: Any, start: int, chunk: int) -> list[tuple[Any, int]]:
    """The tokens from `start` on, `chunk` at a time, each with the number of its first one."""
    return [(ids[first : first + chunk], first) for first in range(start, len(ids), chunk)]


def read_on(model: Any, ids: Any, cache: Any, position: int) -> Any:
    """Reads tokens behind those of a cache, which grows; the last hidden states, shape (tokens, width).

    Args:
        model: a causal language model.
        ids: token numbers, shape (tokens,).
        cache: what was read before.
        position: the position of the first token, which need not be the number of tokens in the cache.
    """
    import torch

    body = body_of(model)
    places = torch.arange(position, position + len(ids), device=model.device)
    with torch.inference_mode():
        output = body(
            input_ids=ids[None].to(model.device), position_ids=places[None], past_key_values=cache, use_cache=True
        )
    return output.last_hidden_state[0]


def body_of(model: Any) -> Any:
    """The model without its head."""
    return model.get_decoder() if hasattr(model, "get_decoder") else model.base_model
