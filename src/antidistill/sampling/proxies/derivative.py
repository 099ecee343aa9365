"""How the log probability of every next token changes when the proxy moves along a gradient: by difference or exactly."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from antidistill.sampling.decode.decoder import Decoder
from antidistill.sampling.proxies.gradient import Gradient, is_exact

SIGNAL = "derivative"


def _dual(value: Any, tangent: Any) -> Any:
    from torch.autograd import forward_ad

    return forward_ad.make_dual(value, tangent)  # type: ignore[no-untyped-call]


def _unpacked(value: Any) -> Any:
    """Value and tangent of a dual number."""
    from torch.autograd import forward_ad

    return forward_ad.unpack_dual(value)  # type: ignore[no-untyped-call]


class Difference:
    """Two proxies theta + eps g and theta - eps g read along; the derivative is their difference over 2 eps.

    Args:
        plus, minus: the perturbed proxies, from `perturbed`.
        eps: the step.
    """

    def __init__(self, plus: Any, minus: Any, eps: float) -> None:
        self._plus, self._minus, self._eps = Decoder(plus), Decoder(minus), eps

    def start(self, prompts: Sequence[Sequence[int]]) -> Mapping[str, Any]:
        """Reads the prompts; "derivative" of log p(x) along g for every next token x, (rows, vocabulary)."""
        return self._signal(self._plus.start(prompts), self._minus.start(prompts))

    def step(self, tokens: Sequence[int]) -> Mapping[str, Any]:
        """Reads one more token of each row."""
        return self._signal(self._plus.step(tokens), self._minus.step(tokens))

    def keep(self, rows: Sequence[int]) -> None:
        """Goes on with these rows only."""
        self._plus.keep(rows)
        self._minus.keep(rows)

    def _signal(self, plus: Any, minus: Any) -> Mapping[str, Any]:
        normalisers = plus.logsumexp(-1, keepdim=True) - minus.logsumexp(-1, keepdim=True)
        return {SIGNAL: plus.sub_(minus).sub_(normalisers).div_(2 * self._eps)}


class Tangent:
    """The exact derivative by forward-mode differentiation; keys and values are cached with their tangents.

    Args:
        proxy: the proxy; not changed, one of lower precision is copied to float32.
        gradient: the direction.
    """

    def __init__(self, proxy: Any, gradient: Gradient) -> None:
        gradient.check(proxy)
        proxy = proxy if is_exact(proxy) else copy.deepcopy(proxy).float()
        self._proxy = proxy
        self._direction = {name: value.to(proxy.device) for name, value in gradient.values.items()}
        self._decoder = Decoder(proxy, call=self._call)
        self._tangents: list[tuple[Any, Any]] = []

    def start(self, prompts: Sequence[Sequence[int]]) -> Mapping[str, Any]:
        """Reads the prompts; the signal is that of `Difference`."""
        self._tangents = []
        return {SIGNAL: self._decoder.start(prompts)}

    def step(self, tokens: Sequence[int]) -> Mapping[str, Any]:
        """Reads one more token of each row."""
        return {SIGNAL: self._decoder.step(tokens)}

    def keep(self, rows: Sequence[int]) -> None:
        """Goes on with these rows only."""
        import torch

        self._decoder.keep(rows)
        index = torch.as_tensor(rows, dtype=torch.long, device=self._proxy.device)
        self._tangents = [(keys[index], values[index]) for keys, values in self._tangents]

    def _call(self, **arguments: Any) -> Any:
        """The proxy's reading with log p's derivative in place of the logits."""
        import torch
        from torch.autograd import forward_ad
        from torch.func import functional_call
        from torch.nn.attention import SDPBackend, sdpa_kernel

        # The fused attention kernels have no forward-mode derivative.
        with forward_ad.dual_level(), sdpa_kernel(SDPBackend.MATH):
            duals = {name: _dual(value, self._direction[name]) for name, value in self._proxy.named_parameters()}
            self._attach(arguments["past_key_values"])
            out = functional_call(self._proxy, duals, (), arguments)
            self._detach(out.past_key_values)
            change = _unpacked(torch.log_softmax(out.logits.float(), -1)).tangent
        return SimpleNamespace(logits=change, past_key_values=out.past_key_values)

    def _attach(self, cache: Any) -> None:
        for layer, (keys, values) in zip(cache.layers if cache else (), self._tangents, strict=True):
            layer.keys, layer.values = _dual(layer.keys, keys), _dual(layer.values, values)

    def _detach(self, cache: Any) -> None:
        self._tangents = []
        for layer in cache.layers:
            layer.keys, keys = _unpacked(layer.keys)
            layer.values, values = _unpacked(layer.values)
            self._tangents.append((keys, values))


def perturbed(proxy: Any, gradient: Gradient, step: float, precision: str = "float32") -> Any:
    """A copy of the proxy at theta + step g, formed in float32 and then rounded to `precision`.

    In float16 or bfloat16 a small step rounds back to theta for most weights, and the difference is noise.
    """
    import torch

    gradient.check(proxy)
    moved = copy.deepcopy(proxy).float()
    with torch.no_grad():
        for name, value in moved.named_parameters():
            value.add_(gradient.values[name].to(value.device), alpha=step)
    return moved.to(getattr(torch, precision)).eval().requires_grad_(False)


def agreement(first: Any, second: Any) -> Any:
    """Cosine of two derivatives, row by row, (rows,); 1 where they agree."""
    from torch.nn.functional import cosine_similarity

    return cosine_similarity(first.double(), second.double(), dim=-1)
