"""Limits of one request: the size of its body, and the time that a stream may stand still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Hashable, Mapping

from antidistill.errors import AntidistillError, Refused


class Stall(AntidistillError):
    """A stream stood still for too long."""


async def read_body(chunks: AsyncIterable[bytes], max_bytes: int, declared: str | None = None) -> bytes:
    """A whole body, as long as it is not larger than allowed; the rest of a larger one is not read.

    Args:
        chunks: the body as it comes.
        max_bytes: limit.
        declared: value of `Content-Length`, where there is one.

    Raises:
        Refused: it is larger (413), or the declared length is no number (400).
    """
    if declared is not None and not (declared.isascii() and declared.isdigit()):
        raise Refused(400, "bad_content_length", "Content-Length is not a number.")
    parts: list[bytes] = []
    size = int(declared or 0)
    if size <= max_bytes:
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                break
            parts.append(chunk)
        else:
            return b"".join(parts)
    raise Refused(413, "body_too_large", f"the body has more than {max_bytes:,} bytes, which is the limit.")


class StallWatch:
    """Ends a stream that stands still: neither a byte from the engine, nor one that the client takes.

    `moved` costs one look at the clock; a single timer for each stream does the rest.

    Args:
        seconds: for which a stream may stand still.
        on_stall: called once; cancels the stream.
    """

    __slots__ = ("_loop", "_moved", "_on_stall", "_seconds", "_timer")

    def __init__(self, seconds: float, on_stall: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds, self._on_stall = seconds, on_stall
        self._moved = self._loop.time()
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(seconds, self._look)

    def moved(self) -> None:
        """Tells that the stream goes on."""
        self._moved = self._loop.time()

    def stop(self) -> None:
        """The stream has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        rest = self._moved + self._seconds - self._loop.time()
        if rest > 0:
            self._timer = self._loop.call_later(rest, self._look)
        else:
            self._timer = None
            self._on_stall()


class HoldWatch:
    """Finds text that is held for too long: a holder whose mark stays the same decides nothing.

    A single timer for each stream looks eight times in the time allowed; what is late is found after seven to eight of them.

    Args:
        seconds: for which text may be held.
        held: holders and their marks.
        on_expired: called with the holders that are late.
    """

    __slots__ = ("_held", "_loop", "_on_expired", "_seconds", "_seen", "_timer")

    def __init__(
        self,
        seconds: float,
        held: Callable[[], Mapping[Hashable, object]],
        on_expired: Callable[[list[Hashable]], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds, self._held, self._on_expired = seconds, held, on_expired
        self._seen: dict[Hashable, tuple[object, float]] = {}
        self._timer = self._loop.call_later(seconds / 8, self._look)

    def stop(self) -> None:
        """The stream has ended."""
        self._timer.cancel()

    def _look(self) -> None:
        self._timer = self._loop.call_later(self._seconds / 8, self._look)
        now = self._loop.time()
        seen, self._seen = self._seen, {}
        late = []
        for holder, mark in self._held().items():
            before, since = seen.get(holder, (None, now))
            since = since if holder in seen and before == mark else now
            if now - since < self._seconds * 7 / 8:
                self._seen[holder] = (mark, since)
            else:
                late.append(holder)
        if late:
            self._on_expired(late)
