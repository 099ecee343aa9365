"""JSON lines on the wire (Ollama): one object a line."""

from __future__ import annotations

from antidistill.errors import UpstreamGarbage
from antidistill.serve.wire.sse import Event

MEDIA_TYPE = "application/x-ndjson"


class LineCutter:
    """Cuts a stream of bytes into whole lines, however the network cut it.

    Attributes:
        pending: bytes of a line that is not whole.
    """

    def __init__(self, max_bytes: int) -> None:
        """`max_bytes` is the length of the longest line that is taken."""
        self.pending = b""
        self._max = max_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now, each with its line end.

        Raises:
            UpstreamGarbage: a line is longer than allowed.
        """
        *lines, self.pending = (self.pending + data).split(b"\n")
        if len(self.pending) > self._max:
            raise UpstreamGarbage(f"a line of more than {self._max:,} bytes")
        return [line + b"\n" for line in lines]

    def rest(self) -> bytes:
        """What came after the last whole line."""
        rest, self.pending = self.pending, b""
        return rest


def read(raw: bytes) -> Event:
    """A line as an event."""
    data = raw.strip()
    if not data:
        return Event(None, b"", b"", 0, False)
    at = raw.find(data)
    return Event(data, raw[:at], raw[at + len(data) :], 1, True)


def encode(data: bytes, event: str = "") -> bytes:
    """A line of our own; lines have no event names."""
    return data + b"\n"
