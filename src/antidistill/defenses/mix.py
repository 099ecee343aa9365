"""Mixing: each trace is guarded with a probability, decided by the key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from antidistill.defenses.base import Defense, Editor
from antidistill.defenses.choices import Choices, require_key
from antidistill.defenses.unguarded import UnguardedEditor
from antidistill.errors import BadOption
from antidistill.trace import Span


@dataclass(frozen=True, kw_only=True, slots=True)
class Mix:
    """Guards a trace by `inner` with probability `probability`, else leaves it as it is.

    The law of a published trace is then (1 - P) clean + P guarded. Its total variation from clean text is at most P, and no
    detector of single traces, known or unknown, exceeds an AUROC of 1/2 + P/2. A pile of traces gives away more.
    """

    inner: Defense
    probability: float
    key: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        require_key(self.key)
        share = self.probability
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise BadOption("mix", share, "a probability from 0 to 1")

    @property
    def streams(self) -> bool:
        """As the inner defense."""
        return self.inner.streams

    def guards(self, trace_key: bytes) -> bool:
        """True if the trace is one of the guarded ones."""
        return Choices(self.key, trace_key, "mix").uniform(0) < self.probability

    def begin(self, trace_key: bytes) -> Editor:
        """An editor for one trace that arrives in pieces."""
        return self.inner.begin(trace_key) if self.guards(trace_key) else UnguardedEditor()

    def spans(self, text: str, trace_key: bytes) -> list[Span]:
        """The edits of a whole reasoning, as tuples."""
        from antidistill.defenses.front import spans

        return spans(self.inner, text, trace_key) if self.guards(trace_key) else []


def certificate(probability: float) -> dict[str, Any]:
    """What mixing with this probability guarantees against every detector of single traces."""
    return {
        "probability": probability,
        "total_variation_at_most": probability,
        "auroc_at_most": 0.5 + probability / 2,
        "holds_for": "detectors of single traces; not for a pile of traces, where traces_to_detect counts",
    }
