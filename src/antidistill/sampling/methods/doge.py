"""Defensive output generation: a teacher whose head was trained against a proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from antidistill.errors import BadOption
from antidistill.sampling.methods.base import Aids, Follower, Simple, Step, check_number


@dataclass(frozen=True, kw_only=True, slots=True)
class DOGe(Simple):
    """Samples the reasoning from a language-model head that was trained away from a proxy (Li et al. 2025, 2505.19504).

    Attributes:
        blend: 1 is the trained head, 0 the teacher's own; between them the logits are mixed.
    """

    name: ClassVar[str] = "doge"
    aids: ClassVar[tuple[str, ...]] = ("head",)
    strength: ClassVar[str | None] = "blend"
    hidden: ClassVar[bool] = True
    blend: float = 1.0

    def __post_init__(self) -> None:
        check_number("blend", self.blend, 0, "a number from 0 to 1")
        if self.blend > 1:
            raise BadOption("blend", self.blend, "a number from 0 to 1")

    def follower(self, aids: Aids) -> Follower | None:
        """What training changed in the head, at every step the same."""
        (head,) = aids.need(self.name, *self.aids)
        return _Constant(head.change)

    def __call__(self, logits: Any, step: Step) -> Any:
        """The teacher's z + blend * (W' - W) h, with h what the head reads."""
        hidden, change = step.signals["hidden"].float(), step.signals["head"]
        return logits.add((hidden @ change.to(hidden.device).T).to(logits), alpha=self.blend)


class _Constant:
    """The signal "head": trained minus own weights, (vocabulary, width)."""

    def __init__(self, change: Any) -> None:
        self._signal: Mapping[str, Any] = {"head": change}

    def start(self, prompts: Sequence[Sequence[int]]) -> Mapping[str, Any]:
        """The change."""
        return self._signal

    def step(self, tokens: Sequence[int]) -> Mapping[str, Any]:
        """The change."""
        return self._signal

    def keep(self, rows: Sequence[int]) -> None:
        """Nothing depends on the rows."""
