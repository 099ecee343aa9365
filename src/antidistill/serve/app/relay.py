"""Carries a response from the engine to the client, guarded on the way; the slower of the two sets the pace."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from antidistill.errors import AntidistillError, DefenseError, UpstreamGarbage, UpstreamStalled
from antidistill.serve.app.arrivals import Arrivals
from antidistill.serve.app.engine import Answer, upstream_error
from antidistill.serve.app.exchange import Exchange
from antidistill.serve.app.outlet import Outlet
from antidistill.serve.app.pacer import Pacer
from antidistill.serve.guard.parts import Part, kept, ready
from antidistill.serve.operations import HoldWatch, StallWatch, log
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
        filter: guards.
        response: nobody has prepared or written to it.
    """

    def __init__(self, exchange: Exchange, turns: Turns, filter: Filter, response: web.StreamResponse) -> None:
        self._exchange, self._turns, self._filter = exchange, turns, filter
        self._response, self._outlet = response, Outlet(exchange.request, response)
        self._writing = self._stalled = False
        self._late: list[Part] = []  # what could not leave at once
        self._pacer: Pacer | None = None
        self._task = asyncio.current_task()

    async def run(self, answer: Answer) -> web.StreamResponse:
        """Carries the response to its end, whatever comes.

        Raises:
            ConnectionResetError: the client has gone.
            CancelledError: the same, or the server stops.
        """
        await self._outlet.begin()
        limits = self._exchange.snapshot.settings.limits
        self._watch = StallWatch(limits.idle_seconds, self._on_stall)
        self._arrivals = Arrivals(answer, self._take)
        holds = HoldWatch(limits.hold_seconds, self._held, self._on_held)
        self._begin_pacing()
        try:
            await self._carry()
            await self._end_pacing()
        except asyncio.CancelledError:
            if not self._stalled or self._task is None:
                raise
            self._task.uncancel()
            if self._writing:
                raise ConnectionResetError from None
            await self._write(self._filter.fail(UpstreamStalled("the engine said nothing for too long.")))
            await self._end_pacing()
        finally:
            self._watch.stop()
            holds.stop()
            if self._pacer is not None:
                self._pacer.stop()
        await self._outlet.end()
        return self._response

    def _begin_pacing(self) -> None:
        exchange = self._exchange
        if exchange.policy.pacing is not None and not isinstance(self._filter, Verbatim):
            self._pacer = Pacer(exchange.policy.pacing, exchange.snapshot.settings.limits.hold_bytes, self._send)

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
        try:
            self._late += self._filter.expire(holders)
        except Exception as error:
            self._arrivals.fail(error)
        else:
            self._arrivals.wake()

    async def _carry(self) -> None:
        try:
            with self._arrivals:
                while not self._filter.ended and await self._arrivals.wait():
                    late, self._late = self._late, []
                    await self._write(late)
            await self._write(self._filter.finish())
        except CLIENT_GONE as error:
            if self._writing:
                raise
            await self._write(self._filter.fail(upstream_error(error)))
        except (aiohttp.ClientError, TimeoutError) as error:
            await self._write(self._filter.fail(_what(error)))
        except Exception as error:
            if self._writing:
                raise
            log("failure", logging.ERROR, error, request_id=self._exchange.request_id)
            await self._write(self._filter.fail(DefenseError("a fault of our own")))

    def _take(self, data: bytes) -> bool:
        """Guards bytes, and lets what may leave do so at once; False if it has to leave with `_write`."""
        self._watch.moved()
        began = time.perf_counter()
        parts = self._filter.feed(data)
        self._exchange.busy += time.perf_counter() - began
        if not parts and not self._filter.ended:
            return True
        payload = ready(parts) if self._pacer is None else None
        if payload and self._outlet.write_now(payload):
            return not self._filter.ended
        self._late += parts
        return False

    async def _write(self, parts: list[Part]) -> None:
        self._writing = True
        if self._pacer is None:
            await self._send(parts)
        else:
            await self._pacer.put(parts)
        self._writing = False

    async def _send(self, parts: Sequence[Part]) -> None:
        payload = await kept(parts, self._remember)
        if not payload:
            return
        if not self._exchange.first:
            self._exchange.first = time.monotonic()
        await self._outlet.write(payload)
        self._watch.moved()

    async def _remember(self, original: str, guarded: str, carried: str) -> str:
        return await self._turns.remember(original, guarded, self._exchange.client.tenant, carried)


def _what(error: Exception) -> AntidistillError:
    if isinstance(error, aiohttp.ClientPayloadError) and isinstance(
        error.__cause__, aiohttp.http_exceptions.ContentEncodingError
    ):
        return UpstreamGarbage("a body whose compression cannot be read")
    return upstream_error(error)
