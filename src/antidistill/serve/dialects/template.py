"""Events that differ from an earlier one in a single string: recognised byte by byte, without reading JSON.

An event that starts and ends with the same bytes as one that was read, with nothing but the inside of a JSON string between,
has the same structure; so what was decided about the other one holds for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antidistill.errors import UpstreamGarbage
from antidistill.serve.dialects.choice import Choice
from antidistill.serve.dialects.details import field_of
from antidistill.serve.guard.flow import Piece
from antidistill.serve.guard.parts import Part
from antidistill.serve.wire.tree import STRING_BODY, quoted, string

if TYPE_CHECKING:
    from antidistill.serve.dialects.chunk import Chunk
    from antidistill.serve.dialects.stream import GuardedStream


class Template:
    """The bytes around one string; `field` is "" for answer text."""

    __slots__ = ("_after", "_before", "_bytes", "_choice", "_field", "_head", "_seen", "_tail")

    def __init__(self, stream: GuardedStream, choice: Choice, field: str, before: bytes, after: bytes) -> None:
        self._before, self._after = before, after
        self._head, self._tail, self._bytes = len(before), len(after), len(before) + len(after)
        self._choice, self._field = choice, field
        self._seen = stream.seen

    def take(self, raw: bytes, out: list[Part]) -> bool:
        """Guards an event of this kind; False if it is of another kind or has to be looked at closely.

        Bytes that are taken are one whole event: the inside of a string holds no line ends.
        """
        if len(raw) < self._bytes or not raw.startswith(self._before) or not raw.endswith(self._after):
            return False
        body = raw[self._head : -self._tail]
        if STRING_BODY.fullmatch(body) is None:
            return False
        return self._reason(raw, body, out) if self._field else self._answer(raw, body, out)

    def _reason(self, raw: bytes, body: bytes, out: list[Part]) -> bool:
        choice = self._choice
        lane = choice.lanes.get(self._field)
        if lane is None or lane.closed or (choice.flow is not None and choice.flow.waits):
            return False
        text = _decoded(body)
        guarded = lane.feed(text)
        seen = self._seen
        seen.came += len(text)
        if guarded:
            seen.left += len(guarded)
            out.append(raw if guarded == text else b"%b%b%b" % (self._before[:-1], quoted(guarded), self._after[1:]))
        return True

    def _answer(self, raw: bytes, body: bytes, out: list[Part]) -> bool:
        choice = self._choice
        flow = choice.flow
        if flow is None or choice.reasons:
            return False
        if flow.plain:
            self._seen.answered += len(body)
            out.append(raw)
            return True
        text = _decoded(body)
        segments = flow.decide(text)
        self._seen.answered += sum(len(segment.text) for segment in segments if not segment.reasoning)
        out += flow.settle(Piece(raw, text, self._before[:-1], self._after[1:], needed=False), segments)
        return True


def _decoded(body: bytes) -> str:
    try:
        return body.decode() if b"\\" not in body else string(body)
    except UnicodeDecodeError as error:
        raise UpstreamGarbage("text that is not UTF-8") from error


def learn(chunk: Chunk, choice: Choice, stream: GuardedStream) -> list[Template]:
    """The template of an event that holds nothing but one text; none if it holds more."""
    content = chunk.content
    found = [*chunk.texts, *([content] if content else [])]
    if len(found) != 1 or chunk.counts or len(chunk.contents) > 1:
        return []
    offset = chunk.raw.find(chunk.tree.data)
    start, end = offset + found[0].node.start, offset + found[0].node.end
    field = "" if content else field_of(chunk.tree, found[0])
    return [Template(stream, choice, field, chunk.raw[: start + 1], chunk.raw[end - 1 :])]
