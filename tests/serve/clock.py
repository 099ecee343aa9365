"""A loop whose clock jumps, so that hours pass in no time and nothing but what is tested takes any."""

from __future__ import annotations

import asyncio
import selectors


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time jumps to whatever is waited for."""

    def __init__(self) -> None:
        super().__init__(_Jumping(self))
        self.now = 0.0

    def time(self) -> float:
        return self.now


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: Clock) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.loop.now += timeout or 0.0
        return super().select(0 if timeout is not None else None)
