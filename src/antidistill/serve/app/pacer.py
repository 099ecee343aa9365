"""Pacing: guarded reasoning leaves in pieces of one size at even times, so that neither tells where something was cut.

What is there too early waits for its time; what follows the reasoning waits until all of it has left. As long as there is
always a piece that can leave, times and sizes are a function of the text that is seen, and of nothing else. A reserve of text
that waits before the first piece leaves is what pieces are made of while the engine writes what will be cut.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence

from antidistill.serve.guard.parts import Paced, Part
from antidistill.serve.policies import PacingSettings

_UNKNOWN = 256
"""Bytes of an event that is made when it leaves."""


class Pacer:
    """Sends parts of one response, in order.

    Args:
        pacing: size of a piece, and time from one piece to the next.
        most: characters and bytes that may wait; the engine is not read further beyond that.
        send: writes parts to the client.
    """

    def __init__(self, pacing: PacingSettings, most: int, send: Callable[[Sequence[Part]], Awaitable[None]]) -> None:
        self._size, self._seconds, self._most, self._send = pacing.characters, pacing.seconds, most, send
        self._open: dict[Hashable, Paced] = {}  # texts that leave now
        self._behind: deque[Part] = deque()  # what waits for them
        self._waiting = 0
        self._reserve = pacing.reserve
        self._changed = asyncio.Event()
        self._moved = asyncio.Event()
        self._closed = False
        self._tick: float | None = None
        self._task = asyncio.create_task(self._run())

    async def put(self, parts: Sequence[Part]) -> None:
        """Takes parts; returns when there is room for more.

        Raises:
            ConnectionResetError: the client has gone.
        """
        for part in parts:
            self._behind.append(part)
            self._waiting += _weight(part)
        self._changed.set()
        if self._task.done():
            await self._task
        while self._waiting > self._most:
            await self._wait_for_move()

    async def drain(self) -> None:
        """Nothing more comes: returns when everything has left.

        Raises:
            ConnectionResetError: the client has gone.
        """
        self._closed = True
        self._changed.set()
        await self._task

    def stop(self) -> None:
        """The response has ended, one way or another."""
        if not self._task.cancel() and not self._task.cancelled():
            self._task.exception()  # else asyncio complains that nobody looked at it

    async def _wait_for_move(self) -> None:
        self._moved.clear()
        moved = asyncio.create_task(self._moved.wait())
        try:
            await asyncio.wait((moved, self._task), return_when=asyncio.FIRST_COMPLETED)
        finally:
            moved.cancel()
        if self._task.done():
            await self._task

    async def _run(self) -> None:
        while True:
            if await self._leave_unpaced():
                continue
            if pieces := self._pieces():
                await self._next_tick()
                await self._leave(pieces)
            elif self._closed and not self._open and not self._behind:
                return
            else:
                self._changed.clear()
                await self._changed.wait()

    async def _leave_unpaced(self) -> bool:
        """Lets go of what waits for no text, and opens the texts behind it; False if there was nothing to let go."""
        ready: list[Part] = []
        while self._behind:
            part = self._behind[0]
            if isinstance(part, Paced):
                if ready:
                    break
                self._join(part)
            elif self._open:
                break
            else:
                ready.append(part)
            self._behind.popleft()
        if ready:
            self._waiting -= sum(map(_weight, ready))
            await self._send(ready)
            self._moved.set()
        return bool(ready)

    def _join(self, part: Paced) -> None:
        before = self._open.get(part.key)
        if before is not None:
            names = dict.fromkeys((*before.fields, *part.fields))
            part = part._replace(
                fields={name: before.fields.get(name, "") + part.fields.get(name, "") for name in names}
            )
        self._open[part.key] = part

    def _pieces(self) -> list[Hashable]:
        """Texts of which a piece can leave: a whole one, or the last one where something waits for it."""
        last = self._closed or bool(self._behind) or self._waiting > self._most
        if not last and self._waiting < self._reserve:
            return []
        self._reserve = 0  # once: a pause to fill it again would tell that it ran dry
        return [key for key, part in self._open.items() if last or _weight(part) >= self._size]

    async def _next_tick(self) -> None:
        """Waits for the next time at which pieces leave; all times are whole intervals apart."""
        now = asyncio.get_running_loop().time()
        if self._tick is None:
            self._tick = now
            return
        late = max(0.0, now - self._tick)
        self._tick += self._seconds * max(1, math.ceil(late / self._seconds))
        await asyncio.sleep(self._tick - now)

    async def _leave(self, keys: list[Hashable]) -> None:
        leaving: list[Part] = []
        for key in keys:
            part = self._open[key]
            piece = {name: text[: self._size] for name, text in part.fields.items() if text}
            rest = {name: text[self._size :] for name, text in part.fields.items() if len(text) > self._size}
            if rest:
                self._open[key] = part._replace(fields=rest)
            else:
                del self._open[key]
            self._waiting -= _weight(part) - (_weight(self._open[key]) if rest else 0)
            leaving.append(part._replace(fields=piece))
        await self._send(leaving)
        self._moved.set()


def _weight(part: Part) -> int:
    """Characters of a text, bytes of an event."""
    if isinstance(part, Paced):
        return max(map(len, part.fields.values()), default=0)
    return len(part) if isinstance(part, bytes) else _UNKNOWN
