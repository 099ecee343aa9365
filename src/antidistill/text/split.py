"""Sentences of a reasoning: whole texts at once, or a stream piece by piece. The spans tile the text without loss."""

from __future__ import annotations

import re
from typing import NamedTuple

from antidistill.text.native import scan
from antidistill.text.scan import LOOKBACK

_new_str = str.__new__
_KEPT = LOOKBACK + 40
_TRIM = 4096
_MAY_CLOSE_CODE = re.compile(r"\n[ \t>]*`{3,}[ \t]*[\r\n]")
_CANNOT_CLOSE_CODE = re.compile(r"\n[ \t>]*`*[ \t]*[^ \t>`\r\n]")


class Sentence(str):
    """A sentence with its place in the reasoning: the text is `reasoning[start:end]`, trailing white space included."""

    __slots__ = ("end", "start")
    start: int
    end: int

    def __new__(cls, text: str, start: int, end: int) -> Sentence:
        """The sentence `text`, which stands at `[start, end)` of its reasoning."""
        sentence = super().__new__(cls, text)
        sentence.start = start
        sentence.end = end
        return sentence


def split(text: str) -> list[Sentence]:
    """The sentences of `text`, in order; joined they are the text.

    An empty text has no sentences. Rules: `antidistill.text.scan`.
    """
    if not text:
        return []
    sentences = []
    start = 0
    for end in [*scan(text, 0, True)[0], len(text)]:
        sentence = _new_str(Sentence, text[start:end])  # half the time of `Sentence(...)`
        sentence.start = start
        sentence.end = end
        sentences.append(sentence)
        start = end
    return sentences


class Progress(NamedTuple):
    """What one more piece of text has made certain; offsets into the whole text.

    Attributes:
        cuts: further sentence starts, ascending.
        safe: everything before this offset belongs to the sentences known by now.
    """

    cuts: list[int]
    safe: int


class Splitter:
    """Splits a text that arrives in pieces; reports a boundary once no further text can change it.

    Holds no more than the part of the text that a rule may still look at. Of open fenced code that is its first line and the
    line that has not ended: what stands in between changes nothing.
    """

    __slots__ = ("_base", "_buffer", "_code", "_line", "_resume")

    def __init__(self) -> None:
        self._buffer = ""
        self._base = 0
        self._resume = 0
        self._code = -1  # end of the first line of open fenced code, in the buffer; -1: none is open
        self._line = -1  # end of its last line that has ended

    @property
    def settled(self) -> bool:
        """Whether text without a special character would decide nothing: no rule waits for what follows."""
        return self._resume == len(self._buffer)

    def feed(self, text: str) -> Progress:
        """Takes the next piece of the text."""
        self._buffer += text
        return self._advance(final=False)

    def close(self) -> Progress:
        """Ends the text: what was undecided is decided."""
        return self._advance(final=True)

    def _advance(self, final: bool) -> Progress:
        if self._code != -1 and not final and not _MAY_CLOSE_CODE.search(self._buffer, self._line):
            self._drop_code()
            return Progress([], self._base + len(self._buffer))
        cuts, resume, safe = scan(self._buffer, self._resume, final)
        base = self._base
        self._resume = resume
        if resume > _TRIM:
            dropped = resume - _KEPT
            self._buffer = self._buffer[dropped:]
            self._base += dropped
            self._resume -= dropped
        self._note_code(base + safe)
        return Progress([base + cut for cut in cuts], base + safe)

    def _note_code(self, safe: int) -> None:
        """Notes whether fenced code is open: the scan waits at its back quotes, and all that has arrived is safe."""
        buffer, resume = self._buffer, self._resume
        is_open = buffer[resume : resume + 1] == "`" and safe == self._base + len(buffer)
        self._code = buffer.find("\n", resume) if is_open else -1
        self._line = buffer.rfind("\n") if is_open else -1

    def _drop_code(self) -> None:
        """Drops the lines of the open code that have ended, and most of a long line that cannot close it."""
        self._line = self._buffer.rfind("\n", self._line)
        if self._line - self._code > _TRIM:
            self._drop(self._code, self._line)
            self._line = self._code
        if len(self._buffer) - self._line > _TRIM and (line := _CANNOT_CLOSE_CODE.match(self._buffer, self._line)):
            self._drop(line.end(), len(self._buffer))

    def _drop(self, start: int, end: int) -> None:
        self._buffer = self._buffer[:start] + self._buffer[end:]
        self._base += end - start
