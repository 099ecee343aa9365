"""Gaussian noise on the logits of k tokens: the case study of the TraceGuard paper."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from antidistill.errors import BadOption
from antidistill.sampling.methods.base import Simple, Step, check_number

if TYPE_CHECKING:
    from antidistill.sampling.decode.draws import Draws


@dataclass(frozen=True, kw_only=True, slots=True)
class Gaussian(Simple):
    """Adds Gaussian noise to the logits of k tokens of the reasoning (TraceGuard paper, section 3.4).

    The expected KL divergence of the trace is at most k * sigma^2 / 2 (`antidistill bounds gaussian`).

    Attributes:
        k: number of masked positions.
        sigma: standard deviation of the noise, in logits after the temperature.
        feedback: False, as in the paper: a clean trace is written, k of its reasoning tokens are drawn anew on their clean
            context. True: the noise is added while the trace is written, at k of the positions up to the longest allowed
            reasoning, and what is drawn becomes context; shorter traces have fewer.
    """

    name: ClassVar[str] = "gaussian"
    strength: ClassVar[str | None] = "sigma"
    k: int = 20
    sigma: float = 1.0
    feedback: bool = False

    def __post_init__(self) -> None:
        check_number("sigma", self.sigma, 0, "a number of at least 0")
        if isinstance(self.k, bool) or not isinstance(self.k, int) or self.k < 1:
            raise BadOption("k", self.k, "a whole number of at least 1")

    @property
    def post_hoc(self) -> bool:
        """Whether tokens of a finished clean trace are drawn anew."""
        return not self.feedback

    def masked(self, draws: Draws, span: int) -> frozenset[int]:
        """The masked positions of a trace with `span` positions to choose from."""
        return _mask(draws, span, self.k)

    def __call__(self, logits: Any, step: Step) -> Any:
        """The logits with noise at masked positions."""
        import torch

        if step.temperature == 0:
            raise BadOption("temperature", 0, "above 0 for gaussian, whose noise is measured after it")
        changed = logits
        for line, (draws, position, span) in enumerate(zip(step.draws, step.positions, step.spans, strict=True)):
            if position in _mask(draws, span, self.k):
                noise = torch.randn(logits.shape[-1], generator=draws.generator("noise", position)).to(logits)
                changed = logits.clone() if changed is logits else changed
                changed[line].add_(noise, alpha=self.sigma * step.temperature)
        return changed


@functools.lru_cache(maxsize=4096)
def _mask(draws: Draws, span: int, k: int) -> frozenset[int]:
    return frozenset(draws.order("mask", span)[:k])
