"""Streams of objects, as client libraries and gateways have them, through the guard for bytes and back.

Each object becomes one server-sent event. What leaves as it came is the same object; what was changed is a new one of its class.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import Any

import orjson

from antidistill.errors import DefenseError, UpstreamGone
from antidistill.serve.dialects.stream import GuardedStream
from antidistill.serve.plugins.session import Session
from antidistill.serve.wire import sse

_CHAT_END = b"data: [DONE]\n\n"
_NO_LIMIT = 1 << 40


def event_of(chunk: Any) -> bytes:
    """An object of a stream as an event: a mapping, or a record of pydantic."""
    data = orjson.dumps(chunk) if isinstance(chunk, Mapping) else chunk.model_dump_json(exclude_none=True).encode()
    return sse.encode(data, type_of(chunk))


class _Classes:
    """Classes of the objects of a stream, by the type that they name."""

    def __init__(self) -> None:
        self._by_type: dict[str, type] = {}
        self._any: type = dict

    def learn(self, chunk: Any) -> None:
        """Remembers the class of an object."""
        self._any = dict if isinstance(chunk, Mapping) else type(chunk)
        self._by_type[type_of(chunk)] = self._any

    def make(self, event: bytes) -> Any:
        """The object that an event stands for."""
        fields: dict[str, Any] = orjson.loads(sse.read(event).data or b"{}")
        made = self._by_type.get(type_of(fields), self._any)
        return made.model_validate(fields) if hasattr(made, "model_validate") else made(**fields)


def type_of(chunk: Any) -> str:
    """The type that an object of a stream names; "" for chunks of a chat, which name none."""
    kind = chunk.get("type") if isinstance(chunk, Mapping) else getattr(chunk, "type", None)
    return str(getattr(kind, "value", kind) or "")


async def guarded_objects(session: Session, chunks: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """Guards a stream of objects.

    Args:
        session: of the response.
        chunks: objects; mappings, or records of pydantic.

    Yields:
        Objects of the same classes.

    Raises:
        DefenseError: the defense failed, and the policy says that the response fails then.
        UpstreamError: the stream broke off, or holds what no dialect knows.
    """
    stream, classes = session.stream(), _Classes()
    chat = True
    try:
        async for chunk in chunks:
            event, chat = event_of(chunk), not type_of(chunk)
            classes.learn(chunk)
            for out in _cut(await session.resolved(stream.feed(event)), stream):
                yield chunk if out == event else classes.make(out)
            _check(stream)
    except BaseException:
        stream.fail(UpstreamGone("the stream broke off."))
        raise
    ending = stream.feed(_CHAT_END) if chat else []
    for out in _cut(await session.resolved([*ending, *stream.finish()]), stream):
        if out != _CHAT_END:
            yield classes.make(out)
    _check(stream)


async def guarded_bytes(session: Session, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Guards a stream of bytes, cut anywhere; if it breaks off, its last event tells the client.

    Args:
        session: of the response.
        chunks: bytes of the engine.
    """
    stream = session.stream()
    try:
        async for chunk in chunks:
            data = b"".join(await session.resolved(stream.feed(chunk)))
            if data:
                yield data
            if stream.ended:
                return
    except BaseException:
        stream.fail(UpstreamGone("the stream broke off."))
        raise
    data = b"".join(await session.resolved(stream.finish()))
    if data:
        yield data


def _cut(pieces: Iterable[bytes], stream: GuardedStream) -> list[bytes]:
    """The events in what leaves; none where the stream has failed, because the error is raised then."""
    return [] if stream.failure is not None else sse.EventCutter(_NO_LIMIT).feed(b"".join(pieces))


def _check(stream: GuardedStream) -> None:
    """Raises what broke a stream off, without its cause: that might quote the reasoning."""
    failure = stream.failure
    if failure is not None:
        raise (DefenseError(str(failure)) if isinstance(failure, DefenseError) else failure) from None
