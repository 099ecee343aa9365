"""The body of the engine's response, taken in the call in which it came from the socket.

To wake a task for each event costs more than to guard the event. So while the task has nothing to do but to pass bytes on, they
are taken where they arrive, and the task is woken for what it alone can do: wait for a slow client, keep an original, end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from antidistill.serve.app.engine import Answer


class Arrivals(asyncio.Protocol):
    """Stands between the socket and the HTTP client while a body is read; the client still reads the protocol.

    Args:
        answer: whose body is still to be read; nobody else reads it.
        take: is given bytes; False where it cannot go on before `wait` has returned.
    """

    def __init__(self, answer: Answer, take: Callable[[bytes], bool]) -> None:
        self._content, self._take = answer.content, take
        self._offered = 0
        self._waiting: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        connection = answer.connection  # None where the whole body is there already
        self._client = connection.protocol if connection else None
        self._transport = connection.transport if connection else None

    def __enter__(self) -> Self:
        if self._transport is not None:
            self._transport.set_protocol(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._step_aside()

    async def wait(self) -> bool:
        """Lets `take` have what comes until it declines, or until `wake` is called.

        Returns:
            False where the body has ended.

        Raises:
            aiohttp.ClientError: the connection broke.
            Exception: what `take` raised, or `fail` was given.
        """
        if self._failure is not None:
            raise self._failure
        if not self._offer():
            return True
        if self._content.is_eof():
            return False
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None
        return True

    def wake(self) -> None:
        """`wait` returns now."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def fail(self, error: Exception) -> None:
        """`wait` raises this, now or when it is called next."""
        self._failure = error
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)

    def data_received(self, data: bytes) -> None:
        """Bytes of the socket: the client takes the framing off, and what is left is offered."""
        assert self._client is not None
        self._client.data_received(data)
        self._came()

    def eof_received(self) -> None:
        """The engine will send no more."""
        assert self._client is not None
        self._client.eof_received()
        self._came()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed, well or not."""
        assert self._client is not None
        self._client.connection_lost(error)
        self._came()

    def pause_writing(self) -> None:
        """The request is too large to be sent at once."""
        assert self._client is not None
        self._client.pause_writing()

    def resume_writing(self) -> None:
        """More of the request can be sent."""
        assert self._client is not None
        self._client.resume_writing()

    def _came(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            try:
                if not self._offer():
                    self.wake()
            except Exception as error:
                self.fail(error)
        if self._content.is_eof():
            self.wake()
            self._step_aside()  # now: the connection may serve another request before the task goes on

    def _offer(self) -> bool:
        content = self._content
        while True:
            data = content.read_nowait()
            self._offered += len(data)
            if data and not self._take(data):
                return False
            if content.total_bytes == self._offered:  # a read may let the client unpack more
                return True

    def _step_aside(self) -> None:
        if self._transport is not None and self._client is not None:
            self._transport.set_protocol(self._client)
            self._transport = None
