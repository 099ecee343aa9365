"""What the guarded streams of all dialects share: bytes in, parts out, and an end that leaves nothing raw and nobody waiting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar, Protocol

from antidistill.errors import AntidistillError, DefenseError, UpstreamError, UpstreamGarbage, UpstreamGone
from antidistill.serve.dialects.template import Template
from antidistill.serve.guard.context import Context, Seen
from antidistill.serve.guard.parts import Later, Part
from antidistill.serve.side_channels import failures
from antidistill.serve.wire import sse
from antidistill.serve.wire.tree import OBJECT, Tree


class Cutter(Protocol):
    """Cuts bytes into events.

    Attributes:
        pending: bytes of an event that is not whole.
    """

    pending: bytes

    def feed(self, data: bytes) -> list[bytes]:
        """The events that are complete now."""
        ...

    def rest(self) -> bytes:
        """What came after the last whole event."""
        ...


class GuardedStream(ABC):
    """Guards a streamed response of one dialect.

    Attributes:
        ended: nothing more leaves; the engine need not be read further.
        complete: the response has come to its own end.
        failure: what broke it off.
        events: of the engine, so far.
        seen: characters so far.
        marked: reasoning came in a field of its own.
    """

    media_type: ClassVar[str] = sse.MEDIA_TYPE

    def __init__(self, context: Context) -> None:
        self.context = context
        self.ended = self.complete = self.marked = False
        self.failure: AntidistillError | None = None
        self.events = 0
        self.seen = Seen()
        self._cutter = self._make_cutter()
        self._usual: Template | None = None  # took the last event

    def feed(self, data: bytes) -> list[Part]:
        """Takes bytes of the engine, cut anywhere, and returns what may leave now."""
        out: list[Part] = []
        if self.ended:
            return out
        try:
            if self._usual is not None and not self._cutter.pending and self._usual.take(data, out):
                self.events += 1
                return out
            for raw in self._cutter.feed(data):
                self.events += 1
                self._event(raw, out)
                if self.ended:
                    break
        except (DefenseError, UpstreamError) as error:
            self._break_off(error, out)
        return out

    def finish(self) -> list[Part]:
        """The engine has closed its response: what was held leaves, or the client is told that the response is not whole."""
        out: list[Part] = []
        if self.ended:
            return out
        try:
            rest = self._cutter.rest()
            if rest.strip():
                self._event(rest + b"\n\n", out)
            if not self.complete:
                raise UpstreamGone("the engine closed its response before the end.")
            self._end(out)
        except (DefenseError, UpstreamError) as error:
            self._break_off(error, out)
        self.ended = True
        return out

    def fail(self, error: AntidistillError) -> list[Part]:
        """The response cannot go on: only what was decided has left, and the client is told."""
        out: list[Part] = []
        if not self.ended:
            self._break_off(error, out)
        return out

    def held(self) -> dict[Any, object]:
        """Who holds text back, and marks that change when some of it is decided."""
        return {}

    def expire(self, holders: Iterable[Any]) -> list[Part]:
        """These have held text for too long; what leaves because of that."""
        out: list[Part] = []
        try:
            for holder in holders:
                self._expire(holder, out)
        except (DefenseError, UpstreamError) as error:
            self._break_off(error, out)
        return out

    @abstractmethod
    def _expire(self, holder: Any, out: list[Part]) -> None:
        """One of them."""

    def _break_off(self, error: AntidistillError, out: list[Part]) -> None:
        self.failure, self.ended = error, True
        self._abandon()
        code = getattr(error, "code", "guard_failed")
        kind = "upstream_error" if isinstance(error, UpstreamError) else "server_error"
        message = str(error) if isinstance(error, UpstreamError) else "the reasoning could not be guarded."
        out.append(Later(partial(self._error, {"message": message, "type": kind, "code": code})))

    def _tell_error(self, body: bytes, out: list[Part]) -> None:
        """The engine sent an error in its stream."""
        self.failure, self.ended = UpstreamGone("the engine sent an error event."), True
        self._abandon()
        out.append(Later(partial(self._error, failures.from_engine(500, body))))

    def _make_cutter(self) -> Cutter:
        return sse.EventCutter(self.context.max_event_bytes)

    def _tree(self, data: bytes) -> Tree:
        """An event's data as a tree.

        Raises:
            UpstreamGarbage: not a JSON object.
        """
        tree = Tree(data)
        if tree.root.kind is not OBJECT:
            raise UpstreamGarbage("an event that is not a JSON object")
        return tree

    @abstractmethod
    def _event(self, raw: bytes, out: list[Part]) -> None:
        """Guards one event."""

    @abstractmethod
    def _end(self, out: list[Part]) -> None:
        """All texts have ended: what is held leaves."""

    @abstractmethod
    def _abandon(self) -> None:
        """All texts broke off: what is held never leaves."""

    @abstractmethod
    def _error(self, error: dict[str, Any]) -> bytes:
        """An error event."""
