"""Stores: in memory with an end in time and size, and a real Redis that several replicas share and that may die."""

import asyncio
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serve.turns.requests import WITH_TEXT
from tests.serve.turns.test_turns import GUARDED, NEW, ORIGINAL, Clock

from antidistill.serve.policies import TurnsMode
from antidistill.serve.turns import MemoryStore, RedisStore, Ring, StoreDown, Turns, store_of, stores


@given(st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=40)), max_size=60), st.integers(1, 200))
def test_the_store_in_memory_never_grows_beyond_its_limit_and_keeps_the_newest(puts, limit):
    store = MemoryStore(10, limit)

    async def story():
        for number, sealed in puts:
            await store.put(bytes([number]), sealed)
            assert store.bytes == sum(1 + len(entry) for _, entry in store._entries.values()) <= limit
            kept = (await store.get([bytes([number])]))[0]
            assert kept == (sealed if 1 + len(sealed) <= limit else None)

    asyncio.run(story())


def test_the_store_in_memory_forgets_in_time():
    clock = Clock()
    store = MemoryStore(10, 1000, clock)

    async def story():
        await store.put(b"a", b"1")
        clock.now += 6
        await store.put(b"b", b"2")
        assert await store.get([b"a", b"b", b"c"]) == [b"1", b"2", None]
        clock.now += 5
        assert await store.get([b"a", b"b"]) == [None, b"2"]
        await store.put(b"c", b"3")
        assert len(store) == 2  # what is too old also leaves the memory
        await store.close()
        assert len(store) == store.bytes == 0

    asyncio.run(story())


def test_replicas_share_a_redis_that_sees_no_text(redis_server):
    async def story():
        first, second = (Turns(Ring((NEW,)), RedisStore(redis_server.url, 50)) for _ in range(2))
        await first.remember(ORIGINAL, GUARDED, "acme")
        body = WITH_TEXT["reasoning"](GUARDED, "")
        assert (await second.restore(body, "acme")).hits == 1
        assert body == WITH_TEXT["reasoning"](ORIGINAL, "")
        assert (await second.restore(WITH_TEXT["reasoning"](GUARDED, ""), "beta")).hits == 0
        redis = first._store._redis
        (key,) = await redis.keys("*")
        kept = await redis.get(key)
        for secret in (b"Wait", b"12 * 15", b"acme", GUARDED.encode()):
            assert secret not in key + kept
        assert 0 < await redis.ttl(key) <= 50
        for turns in (first, second):
            await turns._store.close()

    asyncio.run(story())


def test_a_dead_redis_costs_one_wait_and_no_request(redis_server, monkeypatch):
    monkeypatch.setattr(stores, "_PAUSE", 0.3)

    async def story():
        failures = []
        turns = Turns(Ring((NEW,)), RedisStore(redis_server.url, 50, timeout=0.5), failed=failures.append)
        await turns.remember(ORIGINAL, GUARDED, "acme")
        redis_server.stop()
        body = WITH_TEXT["reasoning"](GUARDED, "")
        result = await turns.restore(body, "acme")
        assert (result.hits, result.misses["store-down"]) == (0, 1)
        assert body == WITH_TEXT["reasoning"](GUARDED, "")
        assert await turns.remember(ORIGINAL, GUARDED, "acme") == ""
        assert [failure.asked for failure in failures] == [True, False]
        with pytest.raises(StoreDown, match="a moment ago"):
            await turns._store.get([b"x"])
        redis_server.start()
        await asyncio.sleep(0.35)
        await turns.remember(ORIGINAL, GUARDED, "acme")
        assert (await turns.restore(body, "acme")).hits == 1
        await turns._store.close()

    asyncio.run(story())


def test_a_redis_that_hangs_is_given_up_on(redis_server):
    async def story():
        turns = Turns(Ring((NEW,)), RedisStore(redis_server.url, 50, timeout=0.2))
        await turns.remember(ORIGINAL, GUARDED, "acme")
        subprocess.run(["kill", "-STOP", str(redis_server.process.pid)], check=True)
        try:
            result = await asyncio.wait_for(turns.restore(WITH_TEXT["reasoning"](GUARDED, ""), "acme"), 5)
            assert result.misses["store-down"] == 1
        finally:
            subprocess.run(["kill", "-CONT", str(redis_server.process.pid)], check=True)
            await turns._store.close()

    asyncio.run(story())


def test_a_redis_that_is_full_or_holds_something_else_is_a_miss(redis_server):
    async def story():
        failures = []
        turns = Turns(Ring((NEW,)), RedisStore(redis_server.url, 50), TurnsMode.STORE, failed=failures.append)
        redis = turns._store._redis
        await turns.remember(ORIGINAL, GUARDED, "acme")
        (key,) = await redis.keys("*")
        await redis.set(key, b"something else")
        assert (await turns.restore(WITH_TEXT["reasoning"](GUARDED, ""), "acme")).misses == {"unknown": 1}
        await redis.config_set("maxmemory", "1")
        await turns.remember(ORIGINAL, GUARDED + "more", "acme")
        assert len(failures) == 1
        await turns._store.close()

    asyncio.run(story())


def test_the_store_of_a_reference():
    assert isinstance(store_of("memory", 1, 1), MemoryStore)
    assert isinstance(store_of("redis://localhost:1/0", 1, 1), RedisStore)
