"""ASGI middleware: guards an application that answers like an engine, in its own process.

Like the reverse proxy it lets named routes through and nothing else, because engines answer on many that show the raw output.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any

from antidistill.errors import DefenseError, Refused, UpstreamError, UpstreamGone
from antidistill.serve.dialects.stream import GuardedStream
from antidistill.serve.dialects.table import DIALECTS, STREAM_TYPES
from antidistill.serve.operations.limits import read_body
from antidistill.serve.plugins.session import Desk, Session
from antidistill.serve.policies import presented_key
from antidistill.serve.side_channels import failures
from antidistill.serve.side_channels.requests import close_channels, read_request
from antidistill.serve.wire.tree import dumps

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
OPEN_ROUTES = frozenset({"/v1/models", "/health", "/ping", "/version", "/livez", "/readyz"})
_LEFT_OUT = frozenset({b"content-length", b"content-encoding", b"etag", b"content-md5", b"digest"})
"""Headers that are not true of a guarded body."""


class GuardMiddleware:
    """Guards the routes of `DIALECTS` of an application.

    Args:
        app: the application.
        policy_file: policies as for the server; `upstream` in it has no meaning here.
        open_routes: paths that pass as they are; all others are answered with 404.
        sections: settings that win over the file, in its shape.

    Raises:
        BadPolicy, UnknownName, KeyFileError: the policies are not valid.
    """

    def __init__(
        self,
        app: App,
        policy_file: str | Path | None = None,
        open_routes: Iterable[str] = OPEN_ROUTES,
        sections: dict[str, Any] | None = None,
    ) -> None:
        self._app, self._open = app, frozenset(open_routes)
        self._desk = Desk(policy_file, sections)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] in self._open):
            await self._app(scope, receive, send)
            return
        try:
            if scope["type"] != "http" or scope["path"] not in DIALECTS or scope["method"] != "POST":
                raise Refused(404, "not_found", "there is nothing here.")
            await self._guarded(scope, receive, send)
        except Refused as refused:
            if scope["type"] != "http":
                await send({"type": "websocket.close", "code": 1008})
                return
            error = {"message": str(refused), "type": "invalid_request_error", "param": None, "code": refused.code}
            await _answer(send, refused.status, dumps({"error": error}))

    async def _guarded(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        snapshot = self._desk.book.current
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        client = snapshot.client(presented_key(headers))
        length = next((value for name, value in headers if name.lower() == "content-length"), None)
        asked = read_request(await read_body(_body_of(receive), snapshot.settings.limits.max_body_bytes, length))
        session = self._desk.session(client, asked, scope["path"])
        if session is not None:
            close_channels(asked, scope["path"])
        await self._desk.turns.restore(asked.body, client.tenant)
        body = asked.wire
        own = [(b"content-length", str(len(body)).encode()), (b"accept-encoding", b"identity")]
        kept = [
            (n, v)
            for n, v in scope["headers"]
            if n.lower() not in {name for name, _ in own} and not n.startswith(b"x-sglext")
        ]
        inner = {**scope, "headers": [*kept, *own]}
        if session is None:
            await self._app(inner, _again(body, receive), send)
            return
        answer = _Answer(session, send, snapshot.settings.limits.max_response_bytes)
        try:
            await self._app(inner, _again(body, receive), answer.send)
        except BaseException:
            await answer.break_off()
            raise


class _Answer:
    """Takes what the application sends, and sends on what may leave."""

    def __init__(self, session: Session, send: Send, max_bytes: int) -> None:
        self._session, self._send, self._max = session, send, max_bytes
        self._start: Message = {}
        self._stream: GuardedStream | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        """Takes one message of the application."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif message["type"] == "http.response.body":
            await self._go_on(message.get("body", b""), message.get("more_body", False))

    async def break_off(self) -> None:
        """The application has failed: what is held never leaves, and the client of a stream is told."""
        if self._stream is not None:
            parts = self._stream.fail(UpstreamGone("the application left before the end of its response."))
            data = b"".join(await self._session.resolved(parts))
            if data:
                await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def _begin(self, message: Message) -> None:
        headers = {name.lower(): value for name, value in message.get("headers", ())}
        kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in _LEFT_OUT]
        self._start = {**message, "headers": kept}
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise Refused(502, "compressed", "the application compresses its answers: put the guard inside of that.")
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().decode("latin-1")
        if message["status"] == 200 and kind in STREAM_TYPES:
            self._stream = self._session.stream()
            await self._send(self._start)

    async def _go_on(self, body: bytes, more: bool) -> None:
        if self._stream is not None:
            parts = self._stream.feed(body)
            if not more:
                parts += self._stream.finish()
            data = b"".join(await self._session.resolved(parts))
            if data or not more:
                await self._send({"type": "http.response.body", "body": data, "more_body": more})
            return
        self._body += body
        if len(self._body) > self._max:
            raise Refused(502, "too_large", "the application answered with too much.")
        if not more:
            await self._whole(bytes(self._body))

    async def _whole(self, body: bytes) -> None:
        status = int(self._start["status"])
        if status != 200:
            body = dumps({"error": failures.from_engine(status, body)})
        else:
            try:
                body = await self._session.whole(body)
            except (DefenseError, UpstreamError):
                raise Refused(502, "guard_failed", "the reasoning could not be guarded.") from None
        await _answer(self._send, status, body, self._start["headers"])


async def _answer(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    known = [*headers] or [(b"content-type", b"application/json")]
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*known, (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _body_of(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise UpstreamGone("the client left.")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, for the application; then what else the client says."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return pending.pop() if pending else await receive()

    return next_message
