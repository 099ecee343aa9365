"""Streams of objects, as client libraries and gateways have them, through the guard for bytes and back.

Each object becomes one server-sent event. What leaves as it came is the same object; what was changed is a new one of its class.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import orjson

from antidistill.errors import AntidistillError, DefenseError, UpstreamGone
from antidistill.serve.guard.parts import Part
from antidistill.serve.plugins.session import Session
from antidistill.serve.wire import sse

_NO_LIMIT = 1 << 40


def fields_of(chunk: Any) -> dict[str, Any]:
    """The fields of an object of a stream: a mapping, or a record of pydantic; those that say None are left out."""
    fields: dict[str, Any] = (
        dict(chunk) if isinstance(chunk, Mapping) else orjson.loads(chunk.model_dump_json(exclude_none=True))
    )
    return fields


def type_of(chunk: Any) -> str:
    """The type that an object of a stream names; "" for chunks of a chat, which name none."""
    kind = chunk.get("type") if isinstance(chunk, Mapping) else getattr(chunk, "type", None)
    return str(getattr(kind, "value", kind) or "")


class _Objects:
    """Guards objects one by one, and makes new ones of the classes that it has seen.

    Args:
        session: of the response.
        read: the fields of an object.
    """

    def __init__(self, session: Session, read: Callable[[Any], dict[str, Any]]) -> None:
        self.stream = session.stream()
        self._session, self._read = session, read
        self._classes: dict[str, type] = {}
        self._class: type = dict

    async def take(self, chunk: Any) -> list[Any]:
        """What may leave after the next object."""
        kind = type_of(chunk)
        self._class = self._classes[kind] = dict if isinstance(chunk, Mapping) else type(chunk)
        event = sse.encode(orjson.dumps(self._read(chunk)), kind)
        return [chunk if out == event else self._made(out) for out in await self._leaving(self.stream.feed(event))]

    async def end(self) -> list[Any]:
        """What was held."""
        return [self._made(out) for out in await self._leaving(self.stream.finish())]

    async def _leaving(self, parts: list[Part]) -> list[bytes]:
        """The events in what leaves; if the stream has failed, what broke it off is raised instead."""
        pieces = await self._session.resolved(parts)
        failure = self.stream.failure
        if failure is not None:
            raise DefenseError(str(failure)) if isinstance(failure, DefenseError) else failure
        return sse.EventCutter(_NO_LIMIT).feed(b"".join(pieces))

    def _made(self, event: bytes) -> Any:
        """The object that an event stands for."""
        fields = orjson.loads(sse.read(event).data or b"{}")
        return made(self._classes.get(type_of(fields), self._class), fields)


def made(kind: type, fields: dict[str, Any]) -> Any:
    """An object of this class; unchecked where the library's own objects would not pass its checks."""
    try:
        return kind(**fields)
    except ValueError:
        return kind.model_construct(**fields)  # type: ignore[attr-defined]


async def guarded_objects(
    session: Session, chunks: AsyncIterable[Any], read: Callable[[Any], dict[str, Any]] = fields_of
) -> AsyncIterator[Any]:
    """Guards a stream of objects.

    Args:
        session: of the response.
        chunks: objects; mappings, or records of pydantic.
        read: the fields of an object.

    Yields:
        Objects of the same classes.

    Raises:
        DefenseError: the answer could not be guarded.
        UpstreamError: the stream broke off, or holds what no dialect knows.
    """
    objects = _Objects(session, read)
    try:
        async for chunk in chunks:
            for out in await _cleanly(objects.take(chunk)):
                yield out
    except BaseException:
        objects.stream.fail(UpstreamGone("the stream broke off."))
        raise
    for out in await _cleanly(objects.end()):
        yield out


async def _cleanly(work: Awaitable[list[Any]]) -> list[Any]:
    """The result, or an error that quotes nothing of the answer: it may reach clients and logs."""
    try:
        return await work
    except AntidistillError as error:
        raise error.with_traceback(None) from None
    except Exception as error:
        raise DefenseError(f"the answer could not be guarded ({type(error).__name__})") from None


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
