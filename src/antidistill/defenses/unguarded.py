"""No defense: the baseline that every other one is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from antidistill.defenses.text_defense import TextDefense
from antidistill.trace import Edit


@dataclass(frozen=True, kw_only=True, slots=True)
class Unguarded(TextDefense):
    """Leaves every text as it is."""

    name: ClassVar[str] = "none"

    def begin(self, trace_key: bytes) -> UnguardedEditor:
        """An editor that passes everything on."""
        return UnguardedEditor()

    def edit(self, text: str, trace_key: bytes) -> list[Edit]:
        """No edits."""
        return []


class UnguardedEditor:
    """Passes everything on at once."""

    def __init__(self) -> None:
        self.edits: list[Edit] = []

    def feed(self, text: str) -> str:
        """The piece itself."""
        return text

    def close(self) -> str:
        """Nothing was held back."""
        return ""
