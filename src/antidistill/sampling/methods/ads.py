"""Antidistillation sampling: tokens that would harm a student are favoured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from antidistill.errors import BadOption
from antidistill.sampling.methods.base import Aids, Follower, Simple, Step, check_number
from antidistill.sampling.methods.signals import added

DERIVATIVES = ("difference", "jvp")
PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, kw_only=True, slots=True)
class ADS(Simple):
    """Favours tokens that would raise a student's loss on clean traces, seen through a proxy (Savani et al. 2025).

    Samples softmax(log p_T / tau + lam * Delta), Delta = the derivative of the proxy's log p along the gradient g of its loss
    on clean holdout traces: what one step of training on the token would add to that loss, per unit of learning rate.

    Attributes:
        lam: lambda, in the paper's units (after the temperature, for the unscaled g); calibrate it by the teacher's accuracy.
        derivative: "difference": two proxies theta ± eps g read along; "jvp": one proxy with forward-mode derivatives, exact.
        eps: step of the difference; the paper's 1e-2. The product eps * |g| matters: see `docs/sampling.md`.
        precision: of the perturbed proxies; the public code has float16.
        before_temperature: adds lam * Delta before the division by tau, as the public code does: lam / tau in the paper's units.
    """

    name: ClassVar[str] = "ads"
    aids: ClassVar[tuple[str, ...]] = ("proxy", "gradient")
    strength: ClassVar[str | None] = "lam"
    lam: float = 0.05
    derivative: str = "difference"
    eps: float = 0.01
    precision: str = "float32"
    before_temperature: bool = False

    def __post_init__(self) -> None:
        check_number("lam", self.lam, 0, "a number of at least 0")
        check_number("eps", self.eps, 0, "a number above 0", above=True)
        if self.derivative not in DERIVATIVES:
            raise BadOption("derivative", self.derivative, f"one of {', '.join(DERIVATIVES)}")
        if self.precision not in PRECISIONS:
            raise BadOption("precision", self.precision, f"one of {', '.join(PRECISIONS)}")

    def follower(self, aids: Aids) -> Follower | None:
        """The perturbed proxies, or the proxy with tangents."""
        from antidistill.sampling.proxies.derivative import Difference, Tangent

        proxy, gradient = aids.need(self.name, *self.aids)
        if self.derivative == "jvp":
            return Tangent(proxy, gradient)
        return Difference(*aids.pair(self.eps, self.precision), self.eps)

    def __call__(self, logits: Any, step: Step) -> Any:
        """The teacher's z + tau * lam * Delta; tokens that the proxy does not know keep their logit."""
        return added(logits, self._delta(step), self._weight(step))

    def _delta(self, step: Step) -> Any:
        return step.signals["derivative"]

    def _weight(self, step: Step) -> float:
        if self.before_temperature:
            return self.lam
        if step.temperature == 0:
            raise BadOption(
                "temperature",
                0,
                f"above 0 for {self.name}, whose term is added after it (or set before_temperature=true)",
            )
        return self.lam * step.temperature
