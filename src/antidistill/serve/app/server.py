"""The running server: sockets, signals, reloads, and an end that lets streams finish."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from importlib import metadata
from typing import Any

from aiohttp import web

from antidistill.errors import AntidistillError, BadPolicy
from antidistill.serve.app.engine import Engine
from antidistill.serve.app.proxy import Proxy
from antidistill.serve.app.settings import Options
from antidistill.serve.audit import AuditLog
from antidistill.serve.operations import Metrics, Spans, log
from antidistill.serve.policies import PolicyBook, Snapshot
from antidistill.serve.turns import StoreDown, store_of, turns_of

_WATCH_SECONDS = 2.0


class Server:
    """One process of the reverse proxy.

    Args:
        book: policies.
        options: how it runs.
        sock: that listens.
    """

    def __init__(self, book: PolicyBook, options: Options, sock: socket.socket) -> None:
        url = book.current.settings.upstream.url
        if url is None:
            raise BadPolicy("upstream.url", "there is no engine: give --upstream URL, or name it in the policy file")
        self._url = url
        self._book, self._options, self._sock = book, options, sock
        self._metrics = Metrics()
        self._stop = asyncio.Event()
        self._stop_metrics: Callable[[], None] = lambda: None

    @property
    def address(self) -> str:
        """Base URL of the proxy."""
        host, port = self._sock.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Serves until it is told to stop, then lets streams finish."""
        settings = self._book.current.settings
        engine = Engine(self._url, settings.limits)
        audit = AuditLog(settings.audit.file, self._book.secret) if settings.audit.file else None
        self._store = store_of(
            self._book.current.store.reveal(), settings.turns.ttl_seconds, settings.turns.max_store_bytes
        )
        turns = turns_of(self._book.current, self._store, self._store_failed)
        host = self._url.split("://", 1)[1].split("/", 1)[0]
        self.proxy = Proxy(self._book, engine, turns, self._metrics, Spans(server=host), audit, self._options.routes)
        server = web.Server(
            self.proxy.handle, handler_cancellation=True, access_log=None, keepalive_timeout=75.0, lingering_time=2.0
        )
        runner = web.ServerRunner(server, shutdown_timeout=0.2)  # `_drain` has waited for what was under way
        await runner.setup()
        site = web.SockSite(runner, self._sock)
        await site.start()
        self._begin(started)
        watch = asyncio.create_task(self._book.watch(_WATCH_SECONDS, self._reloaded, self._not_reloaded))
        try:
            await self._stop.wait()
            await self._drain(site)
        finally:
            watch.cancel()
            await runner.cleanup()
            await engine.close()
            await self._store.close()
            if audit is not None:
                audit.close()
            self._stop_metrics()
            log("stopped")

    def stop(self) -> None:
        """Tells the server to stop."""
        self._stop.set()

    def _begin(self, started: Callable[[], None]) -> None:
        snapshot = self._book.current
        self._metrics.use_policy(snapshot.hash)
        if self._options.metrics_port:
            self._stop_metrics = self._metrics.serve(self._options.host, self._options.metrics_port)
        if self._options.signals:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.stop)
            loop.add_signal_handler(signal.SIGHUP, self._reload)
        if self._book.key_is_passing:
            log(
                "no key file: edits change and earlier turns are lost at a restart, and replicas do not agree (--key-file)",
                logging.WARNING,
            )
        for policy in snapshot.policies:
            if not policy.streams:
                log("policy does not stream: its reasoning leaves when it has ended", policy=policy.name)
        host, port = self._sock.getsockname()[:2]
        log(
            "listening",
            host=host,
            port=port,
            upstream=self._url,
            hash=snapshot.hash,
            version=metadata.version("antidistill"),
        )
        started()

    async def _drain(self, site: web.SockSite) -> None:
        gate = self.proxy.gate
        log("draining", remaining=gate.inside)
        gate.draining = True
        await site.stop()
        remaining = await gate.drain(self._book.current.settings.limits.drain_seconds)
        if remaining:
            log("cut off", remaining=remaining)

    def _reload(self) -> None:
        try:
            pending = self._book.reload()
        except AntidistillError as error:
            self._not_reloaded(error)
        else:
            self._reloaded(self._book.current, pending)

    def _reloaded(self, snapshot: Snapshot, pending: tuple[str, ...]) -> None:
        self.proxy.turns = turns_of(snapshot, self._store, self._store_failed)
        self._metrics.use_policy(snapshot.hash)
        log("policies reloaded", hash=snapshot.hash, pending=", ".join(pending) or None)

    def _store_failed(self, error: StoreDown) -> None:
        self._metrics.store_failures.inc()
        if error.asked:
            log("the store of originals failed: earlier turns stay guarded", logging.WARNING, error)

    def _not_reloaded(self, error: AntidistillError) -> None:
        log("policies not reloaded: the old ones hold on", error=error)


def serve(
    book: PolicyBook, options: Options, sock: socket.socket, started: Callable[[str], None] = lambda url: None
) -> None:
    """Runs one process of the server until it is told to stop."""

    async def main() -> None:
        server = Server(book, options, sock)
        await server.run(partial(started, server.address))

    with contextlib.suppress(KeyboardInterrupt):
        run_loop(main)


def run_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a coroutine function on uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
