"""Bodies are no larger than allowed, and streams do not stand still."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.errors import Refused
from antidistill.serve.operations import HoldWatch, StallWatch, read_body


async def _chunks(parts, taken):
    for part in parts:
        taken.append(part)
        yield part


@given(st.lists(st.binary(max_size=10)), st.integers(1, 40), st.booleans())
def test_a_body_is_whole_or_refused_and_never_read_far_beyond_the_limit(parts, limit, declared):
    taken = []
    size = sum(map(len, parts))
    reading = read_body(_chunks(parts, taken), limit, str(size) if declared else None)
    if size <= limit:
        assert asyncio.run(reading) == b"".join(parts)
        return
    with pytest.raises(Refused) as caught:
        asyncio.run(reading)
    assert caught.value.status == 413
    assert sum(map(len, taken)) <= limit + 10
    assert not declared or not taken


@pytest.mark.parametrize("declared", ["-1", "1e3", "0x10", "", "1, 2", "٣"])
def test_a_length_that_is_no_number_is_refused(declared):
    with pytest.raises(Refused) as caught:
        asyncio.run(read_body(_chunks([b"x"], []), 10, declared))
    assert caught.value.status == 400


def test_a_declared_length_is_not_believed():
    with pytest.raises(Refused):
        asyncio.run(read_body(_chunks([b"x" * 20], []), 10, "5"))


def test_a_stream_that_moves_goes_on_and_one_that_stands_still_ends():
    async def story():
        stalled = asyncio.Event()
        watch = StallWatch(0.1, stalled.set)
        for _ in range(8):
            await asyncio.sleep(0.03)
            watch.moved()
        assert not stalled.is_set()
        await asyncio.wait_for(stalled.wait(), 5)
        watch.stop()
        stopped = asyncio.Event()
        other = StallWatch(0.02, stopped.set)
        other.stop()
        await asyncio.sleep(0.05)
        assert not stopped.is_set()

    asyncio.run(story())


def test_who_decides_nothing_is_late_and_who_goes_on_is_not():
    async def story():
        marks, late = {"stands": 0, "goes": 0}, []
        watch = HoldWatch(0.2, lambda: marks, late.extend)
        began = asyncio.get_running_loop().time()
        while not late:
            await asyncio.sleep(0.01)
            marks["goes"] += 1
        assert late == ["stands"]
        assert asyncio.get_running_loop().time() - began >= 0.2 * 7 / 8
        watch.stop()

    asyncio.run(story())


def test_who_let_go_in_between_begins_anew():
    async def story():
        marks, late = {"one": 0}, []
        watch = HoldWatch(0.2, lambda: marks, late.extend)
        for _ in range(4):
            await asyncio.sleep(0.1)
            marks.clear()
            await asyncio.sleep(0.04)
            marks["one"] = 0
        assert not late
        watch.stop()

    asyncio.run(story())
