"""Cuts that read well: which spans may go, and which white space stays where one went.

A cut leaves two neighbours that were never neighbours. Nothing in the text may tell: brackets, quotes, mathematics and code stay
whole, numbered lists keep their numbers, a bullet goes with its whole item, what a colon, a heading or half a sentence announces
stays, and of the two separators around a cut the one that separates more (a blank line rather than a space) is kept.

This is the definition; `_cuts.h` holds the same rules for speed, and a test proves both equal.
"""

from __future__ import annotations

from antidistill.text.scan import CJK_CLOSERS, CJK_STOPS, CLOSERS, LOOKBACK, STOPS
from antidistill.text.survey import BULLETS, is_bullet
from antidistill.trace import Edit

_COLONS = frozenset(":：")
_ANNOUNCES = _COLONS | frozenset(",，、")
_REAL_STOPS = frozenset(STOPS + CJK_STOPS)
_BEHIND_STOP = frozenset(CLOSERS + CJK_CLOSERS + "$\\ \n")
_FARTHEST_STOP = 40
"""How many closing marks may stand behind a stop ("x = 1.\n\\]")."""
_BEFORE_FIGURE = "+-–−×*/_$ \t\xa0"
_DIGITS = "0123456789"
_DISPLAYS = ("```", "$$", "\\[", "\\begin")


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
        kept = self.kept_until(start)
        core_end = self._visible_end(end)
        if not self._may_go(kept, start, core_end, end, last):
            return False
        joins = self._group is not None and self._group[3] == start
        if self._group is not None and joins:
            separator = self._group[1:3]
        else:
            separator = (kept, start) if kept else (0, self._first_visible(start))
        if last or (kept and self._lines(core_end, end) > self._lines(*separator)):
            separator = (core_end, end)
        elif self._lines(core_end, end) and self._indentation(*separator) != self._indentation(core_end, end):
            return False
        if not joins:
            self._settle()
        self._group = (kept, *separator, end)
        return True

    def ends_item(self, start: int, end: int, last: bool) -> bool:
        """True if nothing behind `end` belongs to the list item that starts at `start`: its line ends, no deeper one follows."""
        if last:
            return True
        core_end = self._visible_end(end)
        if not self._lines(core_end, end):
            return False
        item = self._first_visible(start)
        line = self._line_start(item)
        return len(self._indentation(core_end, end)) <= (item - line if line >= 0 else 0)

    def is_stopped(self, end: int) -> bool:
        """True if a stop, closing marks aside, stands before `end`."""
        return self._sign_before(end) in _REAL_STOPS

    def in_code(self, offset: int) -> bool:
        """True if the line of `offset` is indented by four spaces or a tab: it may be code."""
        line = self._line_start(offset)
        return line >= 0 and self.text.startswith(("    ", "\t"), line - self.base)

    def close(self) -> list[Edit]:
        """All edits, once the text has ended."""
        self._settle()
        return self._closed

    def _may_go(self, kept: int, start: int, core_end: int, end: int, last: bool) -> bool:
        """True if the neighbours of `[start, end)` read well without it, white space aside."""
        if kept == 0 and last:
            return False
        sign = self._sign_before(kept)
        stopped = not sign or sign in _REAL_STOPS
        if sign in _ANNOUNCES or self._trails_off(kept) or self._is_heading(kept, start):
            return False
        if not stopped and self._is_announced(kept, start, core_end):
            return False
        if self.in_code(self._first_visible(start)) or (not last and self._tears_code(start, core_end, end)):
            return False
        if is_bullet(self.text[start - self.base : min(end, start + LOOKBACK) - self.base]) and not self.ends_item(
            start, end, last
        ):
            return False
        return last or not (self._sign_before(core_end) in _COLONS or (stopped and self._goes_on(core_end, end)))

    def _sign_before(self, offset: int) -> str:
        """The last character before `offset` that is no closing mark; "" at the start of the text."""
        floor = max(0, offset - _FARTHEST_STOP)
        here = offset
        while here > floor and self.text[here - 1 - self.base] in _BEHIND_STOP:
            here -= 1
        return self.text[here - 1 - self.base] if here else ""

    def _is_announced(self, kept: int, start: int, core_end: int) -> bool:
        """True if the unit is what a line without a stop leads to: a display, code, an equation, or a figure in a column."""
        text, base = self.text, self.base
        if text.startswith(_DISPLAYS, start - base):
            return True
        if not self._lines(kept, start):
            return False
        first_line = text[start - base : core_end - base].partition("\n")[0]
        if not _has_equals(first_line):
            figure = first_line.lstrip(_BEFORE_FIGURE)
            return not figure or figure[0] in _DIGITS
        before = text[max(self._line_start(kept), kept - LOOKBACK, 0) - base : kept - base]
        return not is_bullet(first_line[:LOOKBACK]) and not _has_equals(before)

    def _trails_off(self, kept: int) -> bool:
        """True if the text before `kept` ends in dots."""
        return kept > 0 and (self.text[kept - 1 - self.base] == "…" or self.text.endswith("..", 0, kept - self.base))

    def _is_heading(self, kept: int, start: int) -> bool:
        """True if the line that ends at `kept` is a heading, with `#` or wholly in bold: what it heads has to follow."""
        last = self.text[kept - 1 - self.base] if kept else "."
        if last == "." or (last != "*" and not self._lines(kept, start)):
            return False
        line = self._line_start(kept)
        head = self.text[line - self.base : kept - self.base].lstrip(" \t>") if line >= 0 else ""
        if head[:1] in BULLETS and head[1:2].isspace():
            head = head[1:].lstrip(" \t>")
        if head.startswith("#"):
            return head.lstrip("#")[:1].isspace()
        return head.startswith("**") and head.endswith("**") and "*" not in head[2:-2] and len(head) > len("****")

    def _tears_code(self, start: int, core_end: int, end: int) -> bool:
        """True if the cut ends within a line, other than its first, that may be code."""
        return self._lines(start, core_end) > 0 and not self._lines(core_end, end) and self.in_code(end)

    def _goes_on(self, core_end: int, end: int) -> bool:
        """True if the cut ends without a stop and a word in small letters goes on with it ("where x is")."""
        after = self.text[end - self.base : end - self.base + 2]
        if not (after[:1].islower() and after[1:].islower()):
            return False
        return not self.is_stopped(core_end)

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

    def _indentation(self, start: int, end: int) -> str:
        """The white space behind the last line end in `[start, end)`, which is white space."""
        return self.text[start - self.base : end - self.base].rpartition("\n")[2]

    def _line_start(self, offset: int) -> int:
        """Start of the line of `offset`; -1 if it is more than `LOOKBACK` characters back."""
        newline = self.text.rfind("\n", max(0, offset - LOOKBACK - self.base), offset - self.base)
        return newline + 1 + self.base if newline != -1 else (0 if offset <= LOOKBACK else -1)

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


def _has_equals(text: str) -> bool:
    return "=" in text or "≈" in text
