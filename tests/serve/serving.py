"""A real server on real sockets before a scripted engine, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from tests.serve.replay import KEY

from antidistill.serve.app.server import Server
from antidistill.serve.app.settings import Options, listen
from antidistill.serve.policies import PolicyBook
from antidistill.serve.wire import sse

Raw = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
POLICY: dict[str, Any] = {
    "default": {"method": "traceguard", "options": {"k": 20}},
    "limits": {"idle_seconds": 20, "connect_seconds": 2, "retries": 0, "drain_seconds": 5},
}


class Running:
    """What a test needs to know of a running server."""

    def __init__(self, url: str, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self.url, self.server, self.loop = url, server, loop

    def call(self, coroutine: Any) -> Any:
        """Runs a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)


class Engine:
    """An engine that answers as a test says, and remembers what it was asked."""

    def __init__(
        self, answer: Callable[[web.BaseRequest, dict[str, Any]], AsyncIterator[bytes] | web.Response]
    ) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.gone = threading.Event()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        content = await request.read()
        body = json.loads(content) if content else {}
        self.asked.append((request.path, {k.lower(): v for k, v in request.headers.items()}, body))
        answer = self.answer(request, body)
        if isinstance(answer, web.Response):
            return answer
        kind = "application/x-ndjson" if request.path == "/api/chat" else sse.MEDIA_TYPE
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        try:
            async for piece in answer:
                await response.write(piece)
            await response.write_eof()
        except (ConnectionResetError, asyncio.CancelledError):
            self.gone.set()
            raise
        return response


def streaming(*pieces: bytes, pause: float = 0.0) -> Callable[..., AsyncIterator[bytes]]:
    """An answer of these pieces."""

    async def answer(request: Any, body: Any) -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
            if pause:
                await asyncio.sleep(pause)

    return answer


@contextmanager
def running(engine: Engine | Raw | str, policy: Mapping[str, Any] | None = None, **options: Any) -> Iterator[Running]:
    """Serves before `engine`: one with handlers, one that speaks raw bytes, or a URL."""
    ready: dict[str, Any] = {}
    started = threading.Event()

    async def main() -> None:
        url, close = await _open(engine)
        settings = {**POLICY, **(policy or {}), "upstream": {"url": url, **(policy or {}).get("upstream", {})}}
        book = PolicyBook(None, settings, secret=KEY, environment={})
        server = Server(book, Options(port=0, signals=False, ollama=True, **options), listen("127.0.0.1", 0))
        ready["running"] = Running(server.address, server, asyncio.get_running_loop())
        await server.run(started.set)
        await close()

    failure: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            failure.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    started.wait(20)
    if failure:
        raise failure[0]
    own: Running = ready["running"]
    try:
        yield own
    finally:
        own.loop.call_soon_threadsafe(own.server.stop)
        thread.join(20)
        assert not thread.is_alive(), "the server hangs"


async def _open(engine: Engine | Raw | str) -> tuple[str, Callable[[], Awaitable[None]]]:
    async def nothing() -> None:
        return None

    if isinstance(engine, str):
        return engine, nothing
    sock = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    if isinstance(engine, Engine):
        runner = web.ServerRunner(
            web.Server(engine.handle, access_log=None, handler_cancellation=True), shutdown_timeout=0.1
        )
        await runner.setup()
        await web.SockSite(runner, sock).start()
        return url, runner.cleanup

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await engine(head, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, sock=sock)

    async def close() -> None:
        server.close()

    return url, close
