"""Carries a response from the engine to the client, guarded on the way; the slower of the two sets the pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from antidistill.errors import AntidistillError, UpstreamGarbage, UpstreamStalled
from antidistill.serve.app.engine import Answer, upstream_error
from antidistill.serve.app.exchange import Exchange
from antidistill.serve.app.pacer import Pacer
from antidistill.serve.guard.parts import Part, kept
from antidistill.serve.operations import HoldWatch, Metrics, StallWatch
from antidistill.serve.turns import Turns

CLIENT_GONE = (ConnectionResetError, BrokenPipeError)
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class Filter(Protocol):
    """Bytes of the engine in, parts for the client out."""

    ended: bool
    failure: AntidistillError | None

    def feed(self, data: bytes) -> list[Part]:
        """What leaves now."""
        ...

    def finish(self) -> list[Part]:
        """What leaves at the end."""
        ...

    def fail(self, error: AntidistillError) -> list[Part]:
        """What leaves where the engine failed."""
        ...

    def held(self) -> dict[Any, object]:
        """Who holds text back, and marks that change when some of it is decided."""
        ...

    def expire(self, holders: Iterable[Any]) -> list[Part]:
        """What leaves because these have held text for too long."""
        ...


class Verbatim:
    """Lets everything through, for clients that may see originals."""

    def __init__(self) -> None:
        self.ended = False
        self.failure: AntidistillError | None = None

    def feed(self, data: bytes) -> list[Part]:
        """The same bytes."""
        return [data]

    def finish(self) -> list[Part]:
        """Nothing is held."""
        return []

    def fail(self, error: AntidistillError) -> list[Part]:
        """The connection is cut, as the engine did."""
        self.failure = error
        raise ConnectionResetError from error

    def held(self) -> dict[Any, object]:
        """Nobody."""
        return {}

    def expire(self, holders: Iterable[Any]) -> list[Part]:
        """Nothing is held."""
        return []


class Relay:
    """Carries one streamed response.

    Args:
        exchange: the request it answers.
        turns: keeps originals.
        metrics: counts.
        filter: guards.
    """

    def __init__(self, exchange: Exchange, turns: Turns, metrics: Metrics, filter: Filter) -> None:
        self._exchange, self._turns, self._metrics, self._filter = exchange, turns, metrics, filter
        self._reading = self._writing = self._stalled = False
        self._late: list[Part] = []
        self._pacer: Pacer | None = None
        self._task = asyncio.current_task()

    async def run(self, answer: Answer, response: web.StreamResponse) -> web.StreamResponse:
        """Carries the response to its end, whatever comes.

        Raises:
            ConnectionResetError: the client has gone.
            CancelledError: the same, or the server stops.
        """
        exchange = self._exchange
        await response.prepare(exchange.request)
        limits = exchange.snapshot.settings.limits
        watch = StallWatch(limits.idle_seconds, self._on_stall)
        holds = HoldWatch(limits.hold_seconds, self._held, self._on_held)
        self._begin_pacing(response, watch.moved)
        try:
            await self._carry(answer, response, watch.moved)
            await self._end_pacing()
        except asyncio.CancelledError:
            if not self._stalled or self._task is None:
                raise
            self._task.uncancel()
            if self._writing:
                raise ConnectionResetError from None
            await self._write(response, self._filter.fail(UpstreamStalled("the engine said nothing for too long.")))
            await self._end_pacing()
        finally:
            watch.stop()
            holds.stop()
            if self._pacer is not None:
                self._pacer.stop()
        await response.write_eof()
        return response

    def _begin_pacing(self, response: web.StreamResponse, moved: Callable[[], None]) -> None:
        async def send(parts: Sequence[Part]) -> None:
            await self._send(response, parts)
            moved()

        exchange = self._exchange
        if exchange.policy.pacing is not None and not isinstance(self._filter, Verbatim):
            self._pacer = Pacer(exchange.policy.pacing, exchange.snapshot.settings.limits.hold_bytes, send)

    async def _end_pacing(self) -> None:
        if self._pacer is not None:
            self._writing = True
            await self._pacer.drain()
            self._writing = False

    def _on_stall(self) -> None:
        self._stalled = True
        if self._task is not None:
            self._task.cancel()

    def _held(self) -> dict[Any, object]:
        """Who holds text back; while the client takes nothing, that is nobody's fault."""
        return {} if self._writing else self._filter.held()

    def _on_held(self, holders: list[Any]) -> None:
        self._late += self._filter.expire(holders)
        if self._late and self._reading and self._task is not None:
            self._reading = False
            self._task.cancel()

    async def _next(self, read: Callable[[], Awaitable[bytes]], response: web.StreamResponse) -> bytes:
        """What the engine says next. Text that is held for too long may have to leave, or end the response, before it comes."""
        while True:
            if self._late:
                late, self._late = self._late, []
                await self._write(response, late)
            if self._filter.ended:
                return b""
            self._reading = True
            try:
                return await read()
            except asyncio.CancelledError:
                if self._reading or self._stalled or self._task is None or self._task.uncancel():
                    raise
            finally:
                self._reading = False

    async def _carry(self, answer: Answer, response: web.StreamResponse, moved: Callable[[], None]) -> None:
        read, guard, exchange = answer.content.readany, self._filter, self._exchange
        try:
            while data := await self._next(read, response):
                moved()
                began = time.perf_counter()
                parts = guard.feed(data)
                exchange.busy += time.perf_counter() - began
                if parts:
                    await self._write(response, parts)
                    moved()
                if guard.ended:
                    return
        except CLIENT_GONE as error:
            if self._writing:
                raise
            await self._write(response, guard.fail(upstream_error(error)))
        except (aiohttp.ClientError, TimeoutError) as error:
            await self._write(response, guard.fail(_what(error)))
        else:
            await self._write(response, guard.finish())

    async def _write(self, response: web.StreamResponse, parts: list[Part]) -> None:
        self._writing = True
        if self._pacer is None:
            await self._send(response, parts)
        else:
            await self._pacer.put(parts)
        self._writing = False

    async def _send(self, response: web.StreamResponse, parts: Sequence[Part]) -> None:
        payload = await kept(parts, self._remember)
        if not payload:
            return
        if not self._exchange.first:
            self._exchange.first = time.monotonic()
        await response.write(payload)

    async def _remember(self, original: str, guarded: str, carried: str) -> str:
        return await self._turns.remember(original, guarded, self._exchange.client.tenant, carried)


def _what(error: Exception) -> AntidistillError:
    if isinstance(error, aiohttp.ClientPayloadError) and isinstance(
        error.__cause__, aiohttp.http_exceptions.ContentEncodingError
    ):
        return UpstreamGarbage("a body whose compression cannot be read")
    return upstream_error(error)
