"""The client's end of a streamed response: written at once where the client keeps up, and waited for where it does not."""

from __future__ import annotations

import asyncio

from aiohttp import HttpVersion11, web

_MOST = 65_536
"""Bytes that may wait for the client before the engine has to wait too."""


class Outlet:
    """Writes one streamed response.

    Args:
        request: that it answers.
        response: that nobody has prepared or written to.
    """

    def __init__(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        self._request, self._response = request, response
        self._transport: asyncio.Transport | None = None  # once the head has left

    async def begin(self) -> None:
        """Prepares the response; its head leaves with the first bytes."""
        if self._request.version >= HttpVersion11:
            self._response.enable_chunked_encoding()
        await self._response.prepare(self._request)

    def write_now(self, payload: bytes) -> bool:
        """Writes without waiting.

        Returns:
            False, and nothing is written, where `write` has to be called: for the first bytes, and for a client that is slow,
            gone, or too old for chunks.
        """
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > _MOST:
            return False
        transport.write(b"%x\r\n%b\r\n" % (len(payload), payload))
        return True

    async def write(self, payload: bytes) -> None:
        """Writes, and waits until not too much is on its way.

        Raises:
            ConnectionResetError: the client has gone.
        """
        await self._response.write(payload)
        await self._request.writer.drain()
        self._transport = self._request.transport if self._response.chunked else None

    async def end(self) -> None:
        """Tells that the response is whole.

        Raises:
            ConnectionResetError: the client has gone.
        """
        await self._response.write_eof()
