"""Server-sent events: cut into events that keep their bytes, and read field by field only where that is needed.

Rules: HTML standard, section 9.2.6. A line ends at CR, LF or CRLF, an event at a blank line; several `data` lines are
joined by LF.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from antidistill.errors import UpstreamGarbage

MEDIA_TYPE = "text/event-stream"
_END = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LINE = re.compile(rb"\r\n|\n|\r")
_COMMENT = re.compile(rb": ?(?:[A-Za-z-]{0,24}|[A-Z]{1,24}(?: [A-Z]{1,24}){1,2}|ping - [-0-9:.+TZ ]{0,40})")
"""Comments of engines that keep a connection open; none of them can be a sentence."""
_PLAIN_FIELD = re.compile(rb"(?:event|id): ?[A-Za-z0-9_.:/+=-]{0,128}|retry: ?[0-9]{0,9}")
_BOM = b"\xef\xbb\xbf"


class EventCutter:
    """Cuts a stream of bytes into whole events, however the network cut it.

    Joined, the events are the bytes that came in, except for an unfinished event at the end.

    Attributes:
        pending: bytes of an event that is not whole.
    """

    def __init__(self, max_bytes: int) -> None:
        """`max_bytes` is the length of the longest event that is taken."""
        self.pending = b""
        self._searched = 0
        self._max = max_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """The events that are complete now, each with its blank line.

        Raises:
            UpstreamGarbage: an event is longer than allowed.
        """
        events: list[bytes] = []
        buffer = self.pending + data if self.pending else data
        start = self._cut(buffer, events)
        self.pending = buffer[start:]
        self._searched = max(0, len(self.pending) - 3)
        if len(self.pending) > self._max:
            raise UpstreamGarbage(f"an event of more than {self._max:,} bytes")
        return events

    def _cut(self, buffer: bytes, events: list[bytes]) -> int:
        start, search = 0, self._searched
        if b"\r" not in buffer:
            while (end := buffer.find(b"\n\n", search)) >= 0:
                events.append(buffer[start : end + 2])
                start = search = end + 2
            return start
        while match := _END.search(buffer, search):
            if match.end() == len(buffer) and match[0] == b"\r\n\r":
                break  # half of a CRLF
            events.append(buffer[start : match.end()])
            start = search = match.end()
        return start

    def rest(self) -> bytes:
        """What came after the last whole event."""
        rest, self.pending, self._searched = self.pending, b"", 0
        return rest


class Event(NamedTuple):
    """One event.

    Attributes:
        data: the joined `data` lines; None if there are none.
        before, after: what stands around the data on the wire.
        lines: how many `data` lines there were.
        clean: False if the event holds lines that nobody needs; `before` is without them.
    """

    data: bytes | None
    before: bytes
    after: bytes
    lines: int
    clean: bool

    def having(self, data: bytes) -> bytes:
        """The event with other data."""
        if self.lines > 1:
            data = data.replace(b"\n", b"\ndata: ")
        return self.before + data + self.after


def read(raw: bytes) -> Event:
    """The fields of an event. Fields that no client reads are left out, and the text of comments that could be a sentence."""
    if raw.startswith(b"data: ") and raw.endswith(b"\n\n") and raw.find(b"\n") == len(raw) - 2 and b"\r" not in raw:
        return Event(raw[6:-2], b"data: ", b"\n\n", 1, True)
    return _read_lines(raw.removeprefix(_BOM))


def _read_lines(raw: bytes) -> Event:
    kept: list[bytes] = []
    data: list[bytes] = []
    newline = match.group() if (match := _LINE.search(raw)) else b"\n"
    clean = True
    for line in filter(None, _LINE.split(raw)):
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value[1:] if value[:1] == b" " else value)
        elif _COMMENT.fullmatch(line) or _PLAIN_FIELD.fullmatch(line):
            kept.append(line)
        elif line.startswith(b":"):
            kept.append(b":")
            clean = False
        else:
            clean = False
    head = b"".join(line + newline for line in kept)
    if not data:
        return Event(None, head, newline if kept else b"", 0, clean)
    return Event(b"\n".join(data), head + b"data: ", newline * 2, len(data), clean)


def encode(data: bytes, event: str = "") -> bytes:
    """An event of our own."""
    return (b"event: " + event.encode() + b"\n" if event else b"") + b"data: " + data + b"\n\n"
