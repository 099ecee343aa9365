"""No defense: the clean teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from antidistill.sampling.methods.base import Simple, Step


@dataclass(frozen=True, kw_only=True, slots=True)
class Clean(Simple):
    """Samples the clean teacher; the baseline of every comparison."""

    name: ClassVar[str] = "none"

    def __call__(self, logits: Any, step: Step) -> Any:
        """The logits as they are."""
        return logits
