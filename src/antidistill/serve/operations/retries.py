"""Further attempts to reach the engine, before the first byte only: once a client has seen a byte, nothing is sent twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")
RETRY_STATUSES = frozenset({502, 503, 504})
"""Answers of an engine, or of a balancer before it, that has not begun to work on the request."""


async def attempt(
    call: Callable[[], Awaitable[Result]],
    *,
    retries: int,
    failed: Callable[[Result], bool],
    retryable: tuple[type[BaseException], ...],
    on_retry: Callable[[], None] = lambda: None,
    pause: float = 0.1,
) -> Result:
    """The first result that has not failed, or the last one.

    Args:
        call: makes one attempt: sends the request and reads the head of the answer, not its body.
        retries: further attempts.
        failed: whether a result asks for another attempt, such as `RETRY_STATUSES`; it has to release what the result holds.
        retryable: errors that ask for another attempt.
        on_retry: called before each further attempt.
        pause: seconds before the second attempt; doubled for each later one, and shortened by chance by up to a half.

    Raises:
        BaseException: what the last attempt raised, or an error that is not `retryable`.
    """
    for number in range(retries + 1):
        try:
            result = await call()
        except retryable:
            if number == retries:
                raise
        else:
            if number == retries or not failed(result):
                return result
        on_retry()
        await asyncio.sleep(pause * 2**number * random.uniform(0.5, 1))
    raise AssertionError("an attempt ends the loop")
