"""Finds delimited reasoning in a text that arrives in pieces, as `text.thinking.find` does in the whole text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

from antidistill.serve.guard.signs import (
    ASCII_LOWER,
    BY_OPENING,
    FIRST,
    IMPLIED,
    LONGEST,
    OPENING,
    OPENINGS,
    QUOTES,
    SPECIAL,
    Segment,
    pattern,
)
from antidistill.serve.policies import Unopened
from antidistill.text import thinking
from antidistill.text.thinking import Delimiters


class _State(Enum):
    START = auto()
    HELD = auto()
    INSIDE = auto()
    OUTSIDE = auto()
    SUSPECT = auto()
    PLAIN = auto()


_WINDOW = 4096


class Delimited:
    """Tells reasoning from answer. Joined, the segments are the text.

    Args:
        unopened: what a text without an opening delimiter is taken for.
        beside: reasoning came in a field of its own, so only a text that opens with a delimiter holds more of it.
    """

    def __init__(self, unopened: Unopened, beside: bool = False) -> None:
        self._unopened = unopened
        self._beside = beside
        self._state = _State.START
        self._text = ""  # all that came, as long as delimiters are looked for
        self._done = 0  # of it, what was told
        self._searched = 0
        self._block = 0  # where the block starts that the text is inside of
        self._closings: tuple[str, ...] = ()
        self._closing = re.compile("")

    @property
    def plain(self) -> bool:
        """Whether all further text passes as it is."""
        return self._state is _State.PLAIN

    @property
    def inside(self) -> bool:
        """Whether the text is inside a block of reasoning."""
        return self._state is _State.INSIDE

    @property
    def waiting(self) -> int:
        """Characters that are not decided."""
        return len(self._text) - self._done

    def feed(self, text: str) -> list[Segment]:
        """Takes the next piece and returns what is decided now."""
        if self._state is _State.PLAIN:
            return [Segment(False, text)]
        self._text += text
        return [segment for segment in self._advance(final=False) if segment.text or segment.ends]

    def close(self) -> list[Segment]:
        """Ends the text: what was undecided is decided."""
        segments = [segment for segment in self._advance(final=True) if segment.text or segment.ends]
        self._state = _State.PLAIN
        return segments

    def give_up(self) -> None:
        """All that is undecided, and all further text, is an answer."""
        self._state = _State.PLAIN

    def _advance(self, final: bool) -> Iterator[Segment]:
        steps = {
            _State.START: self._start,
            _State.HELD: self._held,
            _State.INSIDE: self._inside,
            _State.OUTSIDE: self._outside,
            _State.SUSPECT: self._suspect,
        }
        while self._state is not _State.PLAIN:
            before = self._state
            yield from steps[before](final)
            if self._state is before:
                break
        if self._state is _State.PLAIN:
            yield self._take(len(self._text), False)

    def _take(self, end: int, reasoning: bool, ends: bool = False, mark: bool = False) -> Segment:
        segment = Segment(reasoning, self._text[self._done : end], ends, mark)
        self._done = end
        return segment

    def _start(self, final: bool) -> Iterator[Segment]:
        head = self._text.lstrip()
        lowered = head[:LONGEST].translate(ASCII_LOWER)
        opening = next((o for o in OPENINGS if lowered.startswith(o)), None)
        if opening is not None:
            end = len(self._text) - len(head) + len(opening)
            yield self._take(end, False, mark=True)
            self._enter(BY_OPENING[opening])
        elif final or (head and not any(o.startswith(lowered) for o in OPENINGS)):
            self._without_opening(final)

    def _without_opening(self, final: bool) -> None:
        if self._beside:
            self._state = _State.PLAIN
        elif self._unopened is Unopened.REASONING and not final:
            self._state = _State.INSIDE
            self._look_for(IMPLIED)
        elif self._unopened is Unopened.ANSWER:
            self._state = _State.OUTSIDE
        else:
            self._state = _State.HELD
            self._look_for(IMPLIED)

    def _enter(self, delimiters: Delimiters) -> None:
        self._state = _State.INSIDE
        self._look_for(tuple(sign.lower() for sign in delimiters.closings))

    def _look_for(self, closings: tuple[str, ...]) -> None:
        self._closings = closings
        self._closing = pattern(closings)
        self._searched = self._block = self._done

    def _find_closing(self, final: bool) -> tuple[int, int] | None:
        """Start and end of the next closing delimiter that is not a mention; None if it is not there, or not sure yet."""
        for match in self._closing.finditer(self._text, self._searched):
            start, end = match.span()
            quoted = start > 0 and self._text[start - 1] in QUOTES
            if quoted and end == len(self._text) and not final:
                self._searched = start
                return None
            if not (quoted and self._text[end : end + 1] in QUOTES and end < len(self._text)):
                return start, end
            self._searched = end
        self._searched = max(self._searched, self._certain(self._closings))
        return None

    def _certain(self, signs: tuple[str, ...]) -> int:
        """Where a sign may begin that is not complete; the length of the text if there is none."""
        start = max(self._done, len(self._text) - LONGEST + 1)
        tail = self._text[start:]
        for at, character in enumerate(tail):
            if character in FIRST and any(sign.startswith(tail[at:].translate(ASCII_LOWER)) for sign in signs):
                return start + at
        return len(self._text)

    def _inside(self, final: bool) -> Iterator[Segment]:
        found = self._find_closing(final)
        if found is None:
            limit = len(self._text) if final else min(self._certain(self._closings), self._mention())
            yield self._take(limit, True, ends=final)
            self._forget()
            return
        start, end = found
        yield self._take(start, True, ends=True)
        yield self._take(end, False, mark=True)
        self._state = _State.OUTSIDE
        self._searched = end

    def _mention(self) -> int:
        """Where a closing delimiter stands whose next character decides whether it is a mention."""
        match = self._closing.match(self._text, self._searched)
        return self._searched if match and match.end() == len(self._text) else len(self._text)

    def _forget(self) -> None:
        """Drops reasoning that was told: what comes behind a block does not depend on what stands in it."""
        gone = self._done - self._block
        if gone > _WINDOW:
            self._text = self._text[: self._block] + self._text[self._done - 1 :]
            self._done -= gone - 1
            self._searched = max(self._block, self._searched - gone + 1)

    def _held(self, final: bool) -> Iterator[Segment]:
        opening = OPENING.search(
            self._text, self._done
        )  # behind another one, a special one may stand inside of its block
        found = self._find_closing(final)
        special = opening is not None and opening[0].translate(ASCII_LOWER) in SPECIAL
        if opening is not None and special and (found is None or opening.start() < found[0]):
            yield self._take(opening.end(), False)
            self._enter(BY_OPENING[opening[0].translate(ASCII_LOWER)])
        elif opening is not None and found is not None and self._is_foreign(opening, found):
            self._suspect_block(opening)
        elif found is not None:
            yield from self._as_batch(found[1])
        elif final:
            yield from self._as_batch(len(self._text))

    def _as_batch(self, closes: int) -> Iterator[Segment]:
        """Decides a held text up to a closing delimiter, or up to its end, as a file would."""
        text = self._text[:closes]
        known = thinking.find(text) or thinking.find(thinking.in_any_case(text) or text)
        blocks = [block for block in known if block.start >= self._done]
        for block in blocks:
            yield self._take(block.start, False)
            opening = self._text[block.opens : block.start].translate(ASCII_LOWER)
            if block.end == closes and opening in BY_OPENING:  # another family's closing delimiter ends nothing
                self._enter(BY_OPENING[opening])
                return
            yield self._take(block.end, True, ends=True)
        yield self._take(closes, False, mark=bool(blocks))
        self._state, self._searched = _State.OUTSIDE, closes

    def _outside(self, final: bool) -> Iterator[Segment]:
        """An answer, in which a further block may open."""
        opening = OPENING.search(self._text, self._searched)
        if opening is None:
            self._searched = len(self._text) if final else self._certain(OPENINGS)
            yield self._take(self._searched, False)
            return
        sign = opening[0].translate(ASCII_LOWER)
        yield self._take(opening.start(), False)
        if sign in SPECIAL:
            yield self._take(opening.end(), False, mark=True)
            self._enter(BY_OPENING[sign])
        else:
            self._suspect_block(opening)

    def _is_foreign(self, opening: re.Match[str], closing: tuple[int, int]) -> bool:
        """Whether a closing delimiter stands inside what may be a block of another family."""
        own = BY_OPENING[opening[0].translate(ASCII_LOWER)].closings
        return opening.end() <= closing[0] and self._text[slice(*closing)].lower() not in map(str.lower, own)

    def _suspect_block(self, opening: re.Match[str]) -> None:
        self._state = _State.SUSPECT
        self._look_for(tuple(sign.lower() for sign in BY_OPENING[opening[0].translate(ASCII_LOWER)].closings))
        self._searched = opening.end()

    def _suspect(self, final: bool) -> Iterator[Segment]:
        """An opening delimiter inside an answer: a block if it is closed and stands where blocks stand."""
        found = self._find_closing(final)
        if found is not None:
            yield from self._as_batch(found[1])
        elif final:
            yield from self._as_batch(len(self._text))
