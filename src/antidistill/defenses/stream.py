"""The editor of a text that arrives in pieces: what has left, what is held, and the window of text in between."""

from __future__ import annotations

from abc import ABC, abstractmethod

from antidistill.defenses.seams import Cuts
from antidistill.text.markers import UNDECIDED, Markers
from antidistill.text.scan import LOOKBACK, SPECIAL
from antidistill.text.split import Splitter
from antidistill.trace import Edit


class StreamEditor(ABC):
    """Follows the sentences of a stream; a subclass says which of them are held and what becomes of them.

    White space behind a sentence is held until the next sentence is known to stay: a cut chooses its separator.
    """

    def __init__(self, reason: str, markers: Markers) -> None:
        self.edits: list[Edit] = []
        self._markers = markers
        self._cuts = Cuts(reason=reason)
        self._splitter = Splitter()
        self._start = 0
        self._number = 0
        self._marker: bool | None = None
        self._left = 0
        self._frontier = 0
        self._edits_left = 0
        self._flows = False
        self._space = ""  # at the end of what came, where it flows
        self._held_space = 0  # how much of it there was when it began to flow
        self._passed: list[str] = []  # what came since then

    @abstractmethod
    def _begin_sentence(self) -> None:
        """The head of the sentence at `_start` is known: `_marker` tells whether it opens with a marker."""

    @abstractmethod
    def _end_sentence(self, end: int, last: bool) -> None:
        """The sentence at `_start` ends at `end`."""

    @property
    @abstractmethod
    def _holds(self) -> bool:
        """True while the open sentence must not leave."""

    @property
    def held(self) -> str:
        """Text that came and is not decided, with the white space before it."""
        return self._space if self._flows else self._cuts.text[self._frontier - self._cuts.base :]

    def feed(self, text: str) -> str:
        """Takes the next piece and returns what may leave now.

        Most pieces are words inside a sentence that stays: where all before has left, and nothing in the piece can end the
        sentence, the rules would only say so again. They see it with the next piece that is not like that.
        """
        if self._flows and (words := text.rstrip()) and SPECIAL.search(text) is None:
            out = self._space + words
            self._space = text[len(words) :]
            self._passed.append(text)
            return out
        text = self._catch_up() + text
        self._cuts.text += text
        progress = self._splitter.feed(text)
        self._follow(progress.cuts)
        self._look_at_head(progress.safe)
        out = self._release()
        self._see_whether_it_flows()
        return out

    def _catch_up(self) -> str:
        """What came since the rules last looked; all of it has left, except for white space at its end."""
        passed = "".join(self._passed)
        if passed:
            self._passed.clear()
            self._left += len(passed) + self._held_space - len(self._space)
            self._frontier = self._left
        return passed

    def _see_whether_it_flows(self) -> None:
        """It does where only the next special character can decide anything: all has left, but for white space at the end."""
        self._space = self._slice(self._frontier, self._cuts.base + len(self._cuts.text))
        self._held_space = len(self._space)
        self._flows = (
            self._marker is not None
            and not self._holds
            and self._splitter.settled
            and (not self._space or self._space.isspace())
        )

    def close(self) -> str:
        """Ends the text and returns what was held back."""
        rest = self._catch_up()
        self._cuts.text += rest
        self._splitter.feed(rest)
        length = self._cuts.base + len(self._cuts.text)
        self._follow(self._splitter.close().cuts)
        if self._start < length:
            self._finish(length, last=True)
        self.edits = self._cuts.close()
        self._frontier = length
        return self._release()

    def _follow(self, cuts: list[int]) -> None:
        for cut in cuts:
            self._finish(cut, last=False)

    def _finish(self, end: int, last: bool) -> None:
        if self._marker is None:
            self._marker = self._opens(end, final=True) > 0
            self._begin_sentence()
        self._end_sentence(end, last)
        self._start, self._marker = end, None
        self._number += 1

    def _look_at_head(self, safe: int) -> None:
        if safe <= self._start:
            return
        if self._marker is None:
            opening = self._opens(safe, final=False)
            if opening == UNDECIDED:
                return
            self._marker = opening > 0
            self._begin_sentence()
        if not self._holds:
            self._keep_until(safe)

    def _opens(self, end: int, final: bool) -> int:
        return self._markers.opening(self._slice(self._start, end), 0, final)

    def _slice(self, start: int, end: int) -> str:
        base = self._cuts.base
        return self._cuts.text[start - base : end - base]

    def _keep_until(self, end: int) -> None:
        """Everything before `end` is decided; the white space before `end` stays undecided."""
        stripped = len(self._slice(self._frontier, end).rstrip())
        if stripped:
            self._frontier += stripped

    def _release(self) -> str:
        """The text between what has left and the frontier, edited."""
        pieces: list[str] = []
        edits = self._cuts.edits
        while self._edits_left < len(edits) and edits[self._edits_left].end <= self._frontier:
            edit = edits[self._edits_left]
            pieces += (self._slice(self._left, edit.start), edit.replacement)
            self._left = edit.end
            self._edits_left += 1
        pieces.append(self._slice(self._left, self._frontier))
        self._left = self._frontier
        self._forget(min(self._frontier - 1, self._start))
        return "".join(pieces)

    def _forget(self, offset: int) -> None:
        """Drops the text before `offset`, but for what a cut there may look back at."""
        offset -= LOOKBACK + 1
        passed = offset - self._cuts.base
        if passed > 1024:
            self._cuts.text = self._cuts.text[passed:]
            self._cuts.base = offset
