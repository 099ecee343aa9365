"""How many requests are under way, whether another one may come in, and the end of the last one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from antidistill.errors import Refused


class Gate:
    """Counts requests under way.

    Args:
        limit: requests at once.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.inside = 0
        self.draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Holds a place for one request, from its head to the last byte of its response.

        Raises:
            Refused: the server is full (503, `overloaded`) or about to stop (503, `draining`); send `Retry-After` with it.
        """
        if self.draining:
            raise Refused(503, "draining", "the server is about to stop: send the request again.")
        if self.inside >= self.limit:
            raise Refused(
                503, "overloaded", f"{self.limit} requests are under way, which is the limit: try again later."
            )
        self.inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self.inside -= 1
            if not self.inside:
                self._empty.set()

    async def drain(self, seconds: float) -> int:
        """Admits nobody any more and waits until all requests have ended.

        Args:
            seconds: to wait at most.

        Returns:
            How many are still under way; the caller cuts them off.
        """
        self.draining = True
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            pass
        return self.inside
