"""The editor of a defense that has to see the whole reasoning first."""

from __future__ import annotations

from collections.abc import Callable

from antidistill.trace import Edit, apply_edits


class WholeEditor:
    """Holds everything until the text ends, then edits it at once."""

    def __init__(self, edit: Callable[[str], list[Edit]]) -> None:
        self.edits: list[Edit] = []
        self._edit = edit
        self._pieces: list[str] = []

    def feed(self, text: str) -> str:
        """Takes the next piece; nothing leaves yet."""
        self._pieces.append(text)
        return ""

    def close(self) -> str:
        """The whole edited text."""
        text = "".join(self._pieces)
        self.edits = self._edit(text)
        return apply_edits(text, self.edits)
