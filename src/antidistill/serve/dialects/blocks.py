"""Streams whose texts stand in blocks of one message, one after the other: Messages and Responses."""

from __future__ import annotations

from antidistill.serve.dialects.chat import ChatStream
from antidistill.serve.dialects.choice import Choice
from antidistill.serve.guard.parts import Part


class BlockStream(ChatStream):
    """Every block is a choice of its own, but they are parts of one answer."""

    def _choice(self, index: int) -> Choice:
        """A block; what one of them has shown of how the model marks its reasoning holds for the next."""
        choice = super()._choice(index)
        choice.marked = choice.marked or self.marked
        return choice

    def _add_tails(self, choice: Choice, index: int, leaving: dict[str, str], out: list[Part]) -> None:
        """An answer begins: what other blocks hold of the reasoning leaves before it, too."""
        for other_index, other in self._choices.items():
            if other is not choice and other.reasons:
                super()._add_tails(other, other_index, {}, out)
        super()._add_tails(choice, index, leaving, out)
