"""Answer text that may hold delimited reasoning, on its way through events that keep their bytes where they can."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from antidistill.errors import HeldTooLong
from antidistill.serve.guard.delimited import Delimited
from antidistill.serve.guard.lane import Guard, Lane
from antidistill.serve.guard.parts import Paced, Part
from antidistill.serve.guard.signs import Segment
from antidistill.serve.policies import OnFailure, Unopened
from antidistill.serve.wire.tree import quoted


class Piece:
    """An event with a text in it: `before` + the quoted text + `after` is `raw`.

    Attributes:
        needed: the event leaves even where its text does not.
    """

    __slots__ = ("_after", "_before", "_out", "begun", "guarded", "needed", "raw", "text", "used")

    def __init__(self, raw: bytes, text: str, before: bytes, after: bytes, needed: bool = True) -> None:
        self.raw = raw
        self.text = text
        self.needed = needed
        self.used = 0
        self.guarded = self.begun = False
        self._before, self._after = before, after
        self._out: list[str] = []

    @property
    def done(self) -> bool:
        """Whether all of the text is decided."""
        return self.used == len(self.text)

    @property
    def has_text(self) -> bool:
        """Whether there is something to leave."""
        return bool(self._out)

    def put(self, text: str) -> None:
        """Adds to what leaves in place of the text."""
        if text:
            self._out.append(text)

    def leave(self, bare: Callable[[str], bytes]) -> bytes:
        """What leaves now: the event as it came, the event with another text, or, a second time, an event with text only."""
        text = "".join(self._out)
        self._out.clear()
        if self.begun:
            return bare(text) if text else b""
        self.begun = True
        if self.done and text == self.text:
            return self.raw
        if not text and not self.needed and self.text:
            return b""
        return self._before + quoted(text) + self._after


class Flow:
    """Sends the answer text of one choice or block through `Delimited`, and its reasoning through lanes.

    Args:
        guard: how reasoning is guarded.
        unopened: what a text without an opening delimiter is taken for.
        beside: reasoning came in a field of its own.
        bare: makes an event that holds a text and nothing else.
        ended: told of every lane that has ended.
        paced: reasoning is given out as `Paced` parts.
    """

    def __init__(
        self,
        guard: Guard,
        unopened: Unopened,
        beside: bool,
        bare: Callable[[str], bytes],
        ended: Callable[[Lane], None] = lambda lane: None,
        paced: bool = False,
    ) -> None:
        self._paced = paced
        self._guard = guard
        self._delimited = Delimited(unopened, beside)
        self._bare = bare
        self._ended = ended
        self._lane: Lane | None = None
        self._pending: deque[Piece] = deque()
        self._since = 0.0
        self.answered = 0

    @property
    def plain(self) -> bool:
        """Whether all further events pass as they are."""
        return self._delimited.plain and not self._pending

    @property
    def waits(self) -> bool:
        """Whether events wait here; later ones have to queue."""
        return bool(self._pending)

    @property
    def undecided(self) -> tuple[Piece, int] | None:
        """The first event that waits because nobody knows what it is, and how much of it is known; None if none waits."""
        return (self._pending[0], self._pending[0].used) if self._pending else None

    @property
    def lane(self) -> Lane | None:
        """The reasoning that is open."""
        return self._lane

    def expire(self) -> list[Part]:
        """Text waited for too long: it leaves as an answer if the policy lets raw text leave.

        Raises:
            HeldTooLong: else; an answer must not get lost, and reasoning must not leave.
        """
        if self._guard.on_failure is not OnFailure.PASS:
            raise HeldTooLong("text waited for too long")
        self._delimited.give_up()
        return self.settle(None, self.decide_end())

    def decide(self, text: str) -> list[Segment]:
        """What the next piece of text decides; `settle` has to be called with it."""
        segments = self._delimited.feed(text)
        self._count(segments)
        return segments

    def decide_end(self) -> list[Segment]:
        """What the end of the text decides."""
        segments = self._delimited.close()
        self._count(segments)
        return segments

    def _count(self, segments: Sequence[Segment]) -> None:
        self.answered += sum(len(segment.text) for segment in segments if not segment.reasoning)

    def settle(self, piece: Piece | None, segments: Sequence[Segment]) -> list[Part]:
        """Takes the next event, and gives out what the segments let go.

        Raises:
            DefenseError: the defense failed, and the policy says that the response fails then.
        """
        if piece is not None:
            self._pending.append(piece)
        out: list[Part] = []
        for segment in segments:
            self._spread(segment, out)
        self._release(out)
        self._note_wait()
        if self._delimited.waiting > self._guard.undecided_bytes:
            out += self.expire()
        return out

    def _note_wait(self) -> None:
        if self._pending:
            self._since = self._since or time.monotonic()
        elif self._since:
            self._guard.waited(time.monotonic() - self._since)
            self._since = 0.0

    def _spread(self, segment: Segment, out: list[Part]) -> None:
        """Gives a segment to the events that its text came in."""
        left = segment.text
        while left:
            piece = self._pending[0]
            taken = left[: len(piece.text) - piece.used]
            left = left[len(taken) :]
            piece.used += len(taken)
            self._put(piece, taken, segment, not left, out)
            if left:
                self._release(out)
        if not segment.text and segment.ends:
            tail = self._end_lane()
            if self._pending:
                self._reasoned(self._pending[0], tail, out)
            elif tail:
                out.append(self._pace(tail) if self._paced else self._bare(tail))

    def _put(self, piece: Piece, text: str, segment: Segment, last: bool, out: list[Part]) -> None:
        if not segment.reasoning:
            piece.put(text)
            return
        if self._lane is None:
            self._lane = Lane(self._guard, "content")
        guarded = self._lane.feed(text)
        if last and segment.ends:
            guarded += self._end_lane()
        self._reasoned(piece, guarded, out)

    def _reasoned(self, piece: Piece, text: str, out: list[Part]) -> None:
        """Guarded reasoning leaves in the event that it came in, or, paced, behind what that event held before it."""
        piece.guarded = True
        if not self._paced:
            piece.put(text)
            return
        if piece.has_text:
            out.append(piece.leave(self._bare))
        if text:
            out.append(self._pace(text))

    def _pace(self, text: str) -> Paced:
        return Paced(self, {"content": text}, lambda fields: [self._bare(fields["content"])])

    def _end_lane(self) -> str:
        lane, self._lane = self._lane, None
        if lane is None:
            return ""
        tail = lane.close()
        self._ended(lane)
        return tail

    def _release(self, out: list[Part]) -> None:
        """Lets go of the events that are decided, and of the decided part of one that holds reasoning."""
        while self._pending and self._pending[0].done:
            out.append(self._pending.popleft().leave(self._bare))
        if self._pending and self._pending[0].guarded and self._pending[0].has_text:
            out.append(self._pending[0].leave(self._bare))

    def abandon(self) -> None:
        """The stream broke off: what is held never leaves."""
        self._pending.clear()
        if self._lane is not None:
            self._lane.abandon()
            self._lane = None


def whole_text(guard: Guard, text: str, unopened: Unopened, beside: bool) -> tuple[str, list[Lane]]:
    """An answer text that is there as a whole, with the reasoning in it guarded, and the lanes of that reasoning."""
    delimited = Delimited(unopened, beside)
    lanes: list[Lane] = []
    out: list[str] = []
    lane: Lane | None = None
    for segment in (*delimited.feed(text), *delimited.close()):
        if not segment.reasoning:
            out.append(segment.text)
            continue
        lane = lane or Lane(guard, "content")
        out.append(lane.feed(segment.text))
        if segment.ends:
            out.append(lane.close())
            lanes.append(lane)
            lane = None
    return "".join(out), lanes
