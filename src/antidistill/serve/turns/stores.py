"""Stores of sealed originals: in memory, or in Redis for several replicas. A store sees ciphertext and hashes only."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from antidistill.errors import MissingExtra

_PREFIX = b"antidistill:turn:"
_PAUSE = 5.0


class StoreDown(Exception):
    """The store did not answer; `asked` is False where it was not asked, because it failed a moment ago."""

    asked = True


class Store(Protocol):
    """Sealed originals by address."""

    async def put(self, address: bytes, sealed: bytes) -> None:
        """Keeps `sealed` for the time that the store was made for.

        Raises:
            StoreDown: the store did not answer.
        """
        ...

    async def get(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """What is kept at each address; None where nothing is.

        Raises:
            StoreDown: the store did not answer.
        """
        ...

    async def close(self) -> None:
        """Ends connections."""
        ...


class MemoryStore:
    """Keeps originals in this process; the oldest go first.

    Args:
        ttl: seconds until an entry is forgotten.
        max_bytes: of all entries together, keys included.
        clock: seconds that only grow.
    """

    def __init__(self, ttl: float, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl, self._max_bytes, self._clock = ttl, max_bytes, clock
        self._entries: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    async def put(self, address: bytes, sealed: bytes) -> None:
        """Keeps an entry; one that is larger than the whole store is not kept."""
        now = self._clock()
        self._forget(address)
        if len(address) + len(sealed) <= self._max_bytes:
            self._entries[address] = (now + self._ttl, sealed)
            self.bytes += len(address) + len(sealed)
        while self._entries:
            oldest = next(iter(self._entries))
            if self.bytes <= self._max_bytes and self._entries[oldest][0] > now:
                break
            self._forget(oldest)

    async def get(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """What is kept and not too old."""
        now = self._clock()
        entries = [self._entries.get(address, (0.0, None)) for address in addresses]
        return [sealed if expires > now else None for expires, sealed in entries]

    async def close(self) -> None:
        """Forgets everything."""
        self._entries.clear()
        self.bytes = 0

    def _forget(self, address: bytes) -> None:
        entry = self._entries.pop(address, None)
        if entry is not None:
            self.bytes -= len(address) + len(entry[1])


class RedisStore:
    """Keeps originals in Redis, so that any replica finds what another one kept.

    After a failure Redis is left alone for some seconds, so that requests do not each wait for a server that is down.

    Args:
        url: redis://[user:password@]host[:port]/[db], rediss://… or unix://….
        ttl: seconds until Redis forgets an entry.
        timeout: seconds for one answer.

    Raises:
        MissingExtra: the client library is not installed.
    """

    def __init__(self, url: str, ttl: float, timeout: float = 1.0) -> None:
        try:
            from redis.asyncio import Redis
        except ImportError as error:
            raise MissingExtra("turns.store: redis", "redis", "redis") from error
        self._redis: Any = Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout)
        self._ttl = max(1, int(ttl))
        self._rests_until = 0.0

    async def put(self, address: bytes, sealed: bytes) -> None:
        """Keeps an entry."""
        await self._ask(self._redis.set, _PREFIX + address, sealed, ex=self._ttl)

    async def get(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """What is kept, by one round trip."""
        if not addresses:
            return []
        found: list[bytes | None] = await self._ask(self._redis.mget, [_PREFIX + address for address in addresses])
        return found

    async def close(self) -> None:
        """Ends connections."""
        await self._redis.aclose()

    async def _ask(self, command: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        from redis.exceptions import RedisError

        if time.monotonic() < self._rests_until:
            resting = StoreDown("Redis failed a moment ago")
            resting.asked = False
            raise resting
        try:
            return await command(*arguments, **options)
        except (RedisError, OSError, TimeoutError) as error:
            self._rests_until = time.monotonic() + _PAUSE
            raise StoreDown(f"Redis failed ({type(error).__name__})") from error


def store_of(reference: str, ttl: float, max_bytes: int) -> Store:
    """The store of a policy file: `memory`, or the URL of a Redis.

    Raises:
        MissingExtra: a Redis is named and its client library is not installed.
    """
    return MemoryStore(ttl, max_bytes) if reference == "memory" else RedisStore(reference, ttl)
