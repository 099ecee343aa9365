"""The gate: as many as allowed, nobody while draining, and the end is waited for."""

import asyncio

import pytest

from antidistill.errors import Refused
from antidistill.serve.operations import Gate


def test_no_more_than_the_limit_are_inside_and_places_come_back():
    gate = Gate(2)
    with gate.admitted(), gate.admitted():
        assert gate.inside == 2
        with pytest.raises(Refused) as caught, gate.admitted():
            pass
        assert (caught.value.status, caught.value.code) == (503, "overloaded")
    with pytest.raises(RuntimeError), gate.admitted():
        raise RuntimeError
    assert gate.inside == 0


def test_draining_admits_nobody_and_waits_for_the_last_one():
    async def story():
        gate = Gate(5)
        going = asyncio.Event()

        async def request():
            with gate.admitted():
                await going.wait()

        tasks = [asyncio.create_task(request()) for _ in range(3)]
        await asyncio.sleep(0)
        drained = asyncio.create_task(gate.drain(30))
        await asyncio.sleep(0)
        with pytest.raises(Refused) as caught, gate.admitted():
            pass
        assert caught.value.code == "draining"
        assert not drained.done()
        going.set()
        assert await drained == 0
        await asyncio.gather(*tasks)

    asyncio.run(story())


def test_draining_ends_after_its_time_and_tells_who_is_left():
    async def story():
        gate = Gate(5)
        with gate.admitted():
            assert await gate.drain(0.01) == 1
        assert await gate.drain(0.01) == 0

    asyncio.run(story())
