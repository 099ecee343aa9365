"""Temperature: the reasoning is sampled hotter than the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from antidistill.errors import BadOption
from antidistill.sampling.methods.base import Simple, Step, check_number


@dataclass(frozen=True, kw_only=True, slots=True)
class Temperature(Simple):
    """Samples the reasoning at another temperature than the answer; the baseline of the ADS paper.

    Attributes:
        reasoning: temperature of the reasoning, above 0.
    """

    name: ClassVar[str] = "temperature"
    strength: ClassVar[str | None] = "reasoning"
    reasoning: float = 1.5

    def __post_init__(self) -> None:
        check_number("reasoning", self.reasoning, 0, "a temperature above 0", above=True)

    def __call__(self, logits: Any, step: Step) -> Any:
        """Logits that give softmax(z / reasoning) once they are divided by the temperature of the step."""
        if step.temperature == 0:
            raise BadOption("temperature", 0, "above 0 for the method temperature: a greedy token has none")
        return logits * (step.temperature / self.reasoning)
