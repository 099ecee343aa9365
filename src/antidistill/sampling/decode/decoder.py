"""One causal language model that reads a batch token by token: left padding, cache, rows that leave."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any


class Decoder:
    """Yields the next logits of each row; works with every causal language model of transformers that has a cache.

    Args:
        model: the model, or a function with its signature (`call` below).
        hidden: whether `self.hidden` holds what the head of the model read, (rows, width), after each reading.
        call: called in place of `model`, with the same arguments.
    """

    def __init__(self, model: Any, *, hidden: bool = False, call: Callable[..., Any] | None = None) -> None:
        self._model, self._call = model, call or model
        accepted = inspect.signature(model.forward).parameters
        self._positions = "position_ids" in accepted
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
        self.hidden: Any = None
        self._wants_hidden = hidden

    def start(self, prompts: Sequence[Sequence[int]]) -> Any:
        """Reads the prompts with an empty cache; logits of the next token, (rows, vocabulary), float32."""
        import torch

        width = max(map(len, prompts))
        ids = torch.zeros((len(prompts), width), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for line, tokens in enumerate(prompts):
            ids[line, width - len(tokens) :] = torch.as_tensor(tokens)
            mask[line, width - len(tokens) :] = 1
        self._mask = mask.to(self._model.device)
        self._lengths = self._mask.sum(-1, keepdim=True)
        self._cache = None
        return self._read(ids.to(self._model.device), (self._mask.cumsum(-1) - 1).clamp(min=0))

    def step(self, tokens: Sequence[int]) -> Any:
        """Reads one more token of each row; logits as above."""
        import torch

        ids = torch.as_tensor(tokens, device=self._model.device)[:, None]
        self._mask = torch.cat((self._mask, torch.ones_like(ids)), -1)
        logits = self._read(ids, self._lengths)
        self._lengths = self._lengths + 1
        return logits

    def keep(self, rows: Sequence[int]) -> None:
        """Goes on with these rows only, in ascending order."""
        import torch

        if len(rows) == len(self._mask):
            return
        index = torch.as_tensor(rows, dtype=torch.long, device=self._mask.device)
        self._mask, self._lengths = self._mask[index], self._lengths[index]
        self._cache.reorder_cache(index)  # type: ignore[attr-defined]

    def _read(self, ids: Any, positions: Any) -> Any:
        import torch

        extra = dict(self._last_only)
        if self._positions:
            extra["position_ids"] = positions
        with torch.no_grad(), _Captured(self._model, self._wants_hidden) as captured:
            out = self._call(
                input_ids=ids, attention_mask=self._mask, past_key_values=self._cache, use_cache=True, **extra
            )
        self._cache = out.past_key_values
        self.hidden = captured.value
        return out.logits[:, -1].float()


class _Captured:
    """What the model's head reads, by a hook, since models scale and cut hidden states in ways of their own."""

    def __init__(self, model: Any, wanted: bool) -> None:
        self.value: Any = None
        self._head = model.get_output_embeddings() if wanted else None

    def __enter__(self) -> _Captured:
        if self._head is not None:
            self._hook = self._head.register_forward_pre_hook(self._take)
        return self

    def _take(self, module: Any, arguments: tuple[Any, ...]) -> None:
        self.value = arguments[0][:, -1]

    def __exit__(self, *error: object) -> None:
        if self._head is not None:
            self._hook.remove()
