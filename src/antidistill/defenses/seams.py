"""Cuts that read well: which spans may go, and which white space stays where one went.

A cut leaves two neighbours that were never neighbours. Nothing in the text may tell: brackets, quotes, mathematics and code stay
whole, numbered lists keep their numbers, what a colon announces stays, and of the two separators around a cut the one that
separates more (a blank line rather than a space) is kept.
"""

from __future__ import annotations

from antidistill.text.survey import is_ragged
from antidistill.trace import Edit

_ANNOUNCES = ":："


class Cuts:
    """Collects the cuts of one text, in reading order, as edits.

    `text` may be a window of a longer text that begins at offset `base`; all offsets are offsets into the longer text. A window
    begins at the start of the text or at a visible character that stays.
    """

    __slots__ = ("_closed", "_group", "base", "reason", "text")

    def __init__(self, text: str = "", base: int = 0, reason: str = "") -> None:
        self.text = text
        self.base = base
        self.reason = reason
        self._closed: list[Edit] = []
        self._group: tuple[int, int, int, int] | None = None

    @property
    def edits(self) -> list[Edit]:
        """All edits so far, sorted and not overlapping."""
        return [*self._closed, *self._edits_of_group()]

    def replace(self, edit: Edit) -> None:
        """Adds an edit that is no cut; it lies behind all edits so far."""
        self._settle()
        self._closed.append(edit)

    def kept_until(self, start: int) -> int:
        """End of the last visible character that stays before `start` (0: none), given that everything since the cuts stays."""
        if self._group is not None and self._group[3] == start:
            return self._group[0]
        return self._visible_end(start)

    def cut(self, start: int, end: int, last: bool) -> bool:
        """Cuts `[start, end)`, one or more whole sentences, unless the seam would tell.

        Args:
            start: start of a sentence, at or behind all cuts so far.
            end: start of the next sentence, or end of the text.
            last: True if the text ends at `end`.

        Returns:
            False if the span has to stay.
        """
        text, base = self.text, self.base
        kept = self.kept_until(start)
        if kept == 0:
            if last:
                return False
        elif text[kept - 1 - base] in _ANNOUNCES:
            return False
        core_end = self._visible_end(end)
        if self._group is None or self._group[3] != start:
            self._settle()
            separator = (kept, start) if kept else (0, self._first_visible(start))
        else:
            separator = self._group[1:3]
        if last or (kept and self._lines(core_end, end) > self._lines(*separator)):
            separator = (core_end, end)
        self._group = (kept, *separator, end)
        return True

    def close(self) -> list[Edit]:
        """All edits, once the text has ended."""
        self._settle()
        return self._closed

    def _settle(self) -> None:
        self._closed += self._edits_of_group()
        self._group = None

    def _edits_of_group(self) -> list[Edit]:
        if self._group is None:
            return []
        kept, separator_start, separator_end, end = self._group
        spans = ((kept, separator_start), (separator_end, end))
        return [Edit(start, stop, "", self.reason) for start, stop in spans if start < stop]

    def _lines(self, start: int, end: int) -> int:
        return self.text.count("\n", start - self.base, end - self.base)

    def _visible_end(self, offset: int) -> int:
        text = self.text
        here = offset - self.base
        while here > 0 and text[here - 1].isspace():
            here -= 1
        return here + self.base

    def _first_visible(self, offset: int) -> int:
        text = self.text
        here = offset - self.base
        while here < len(text) and text[here].isspace():
            here += 1
        return here + self.base


def is_whole(text: str, numbers: list[int], next_number: int) -> bool:
    """True if nothing is torn when all sentences of `text` go.

    Args:
        text: the sentences that would go.
        numbers: list numbers of those sentences that are items of a numbered list.
        next_number: list number of the sentence that follows, or 0.
    """
    if numbers and (numbers[0] != 1 or next_number):
        return False
    return not is_ragged(text)
