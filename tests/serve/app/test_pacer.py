"""Pacing: even pieces at even times, everything in its order, and nothing lost; with a clock that the test turns."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serve.app.test_requests import ASK, CHAT, post
from tests.serve.clock import Clock
from tests.serve.replay import CASES, context, events, guarded, payloads, read, shuffled
from tests.serve.serving import Engine, running, streaming

from antidistill.serve.app.pacer import Pacer
from antidistill.serve.demo import scripts
from antidistill.serve.demo.engine import bundled_traces
from antidistill.serve.dialects.table import DIALECTS
from antidistill.serve.guard.parts import Paced, joined
from antidistill.serve.policies import PacingSettings
from antidistill.trace import Trace

PACING = PacingSettings(characters=4, seconds=0.5)


def text(characters, key="a"):
    return Paced(key, {"reasoning": characters}, lambda fields: [fields["reasoning"].encode()])


def paced(arrivals, pacing=PACING, most=10_000):
    """What left and when, for parts that come at these times."""
    left = []

    async def story():
        loop = asyncio.get_running_loop()

        async def send(parts):
            left.append((loop.time(), joined(parts)))

        pacer = Pacer(pacing, most, send)
        for at, parts in arrivals:
            await asyncio.sleep(at - loop.time())
            await pacer.put(parts)
        await pacer.drain()
        pacer.stop()

    loop = Clock()
    try:
        loop.run_until_complete(story())
    finally:
        loop.close()
    return left


def test_pieces_have_one_size_and_leave_at_even_times():
    left = paced([(0.0, [text("abc")]), (0.1, [text("defghijklmnop")]), (0.2, [b"|answer"])])
    assert [piece for _, piece in left] == [b"abcd", b"efgh", b"ijkl", b"mnop", b"|answer"]
    times = [at for at, _ in left]
    assert [round(b - a, 6) for a, b in pairwise(times)] == [0.5, 0.5, 0.5, 0.0]


def test_a_text_that_comes_late_leaves_whole_intervals_later():
    left = paced([(0.0, [text("abcd")]), (1.2, [text("efgh")]), (1.3, [b"|"])])
    assert [(round(at, 6), piece) for at, piece in left] == [(0.0, b"abcd"), (1.5, b"efgh"), (1.5, b"|")]


@given(
    st.lists(
        st.one_of(
            st.sampled_from("ab").flatmap(
                lambda key: st.text("xyz", min_size=1, max_size=9).map(lambda s: text(s, key))
            ),
            st.binary(min_size=1, max_size=3),
        ),
        max_size=12,
    ),
    st.lists(st.floats(0, 3), min_size=12, max_size=12),
    st.integers(1, 40),
)
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost_and_events_keep_their_places(parts, times, most):
    left = paced([(at, [part]) for at, part in zip(sorted(times), parts, strict=False)], most=most)
    if not any(isinstance(part, Paced) and part.key == "b" for part in parts):
        assert b"".join(piece for _, piece in left) == joined(parts)
    assert sorted(b"".join(piece for _, piece in left)) == sorted(joined(parts))


def test_while_pieces_are_there_times_do_not_depend_on_what_was_cut():
    """Two engines write at 10 characters in 0.1 s; what one of them writes in between is cut."""
    plain = [(number / 10, [text("0123456789")]) for number in range(8)]
    cut = [(at + (0.7 if number > 3 else 0.0), parts) for number, (at, parts) in enumerate(plain)]
    assert paced([*plain, (9, [b"|"])]) == paced([*cut, (9, [b"|"])])


def test_a_reserve_bridges_a_cut_that_would_run_dry():
    """An engine of 4 characters in 0.5 s, as fast as pieces leave; nothing comes for 1.5 s, because it was cut."""
    arrivals = [(number / 2 + (1.5 if number > 5 else 0.0), [text("abcd")]) for number in range(12)]
    gaps = {}
    for reserve in (0, 20):
        left = paced([*arrivals, (9, [b"|"])], PacingSettings(characters=4, seconds=0.5, reserve=reserve))
        assert b"".join(piece for _, piece in left) == b"abcd" * 12 + b"|"
        gaps[reserve] = max(round(b[0] - a[0], 6) for a, b in pairwise(left[:-1]))
    assert gaps == {0: 2.0, 20: 0.5}


@pytest.mark.parametrize("reserve", [10, 1000])
def test_a_reserve_that_is_never_full_holds_nobody_up(reserve):
    own = PacingSettings(characters=4, seconds=0.5, reserve=reserve)
    assert paced([(0.0, [text("abc")]), (1.0, [b"|answer"])], own)[-1] == (1.0, b"|answer")
    assert b"".join(piece for _, piece in paced([(0.0, [text("a" * 60)])], own, most=20)) == b"a" * 60


def test_a_client_that_has_gone_is_told_to_who_writes():
    async def story():
        async def send(parts):
            raise ConnectionResetError

        pacer = Pacer(PACING, 4, send)
        await pacer.put([text("abc")])
        with pytest.raises(ConnectionResetError):
            await pacer.put([text("abcdef")])
        pacer.stop()

    asyncio.run(story())


@pytest.mark.parametrize(("route", "style"), CASES)
@pytest.mark.parametrize("method", ["traceguard", "branches", "none"])
def test_paced_parts_say_what_unpaced_ones_say(route, style, method):
    for trace in bundled_traces()[:2]:
        own = context(trace.prompt, method)
        own = type(own)(own.guard, own.unopened, own.usage, own.max_event_bytes, paced=True)
        stream = DIALECTS[route].stream(own)
        parts = [part for piece in shuffled(b"".join(events(route, style, trace)), 5) for part in stream.feed(piece)]
        left = paced([(0.0, [*parts, *stream.finish()])], PacingSettings(characters=50, seconds=0.01), most=10**9)
        said = read(route, style, b"".join(piece for _, piece in left))
        assert set(said.reasoning) == {guarded(trace, own)}
        assert said.answer == trace.answer


@pytest.mark.parametrize("path", [CHAT, "/v1/messages", "/v1/responses", "/api/chat"])
def test_over_the_wire_all_pieces_but_the_last_have_one_size(path):
    trace = Trace(
        "1", ASK["messages"][0]["content"], "First a step. Wait, no, that is wrong. So it is 4, as it was.", "Four."
    )
    policy = {"default": {"pacing": {"characters": 5, "seconds": 0.005}}}
    with running(Engine(streaming(*events(path, "reasoning_content" if path == CHAT else "", trace))), policy) as own:
        body = {**ASK, "stream": True, "input" if path == "/v1/responses" else "messages": ASK["messages"]}
        out = post(own.url, body, path=path)[2]
    said = read(path, "", out)
    assert set(said.reasoning) == {guarded(trace, context(trace.prompt))}
    assert said.answer == "Four."
    sizes = [len(piece) for piece in map(_reasoning, payloads(out)) if piece]
    assert set(sizes[:-1]) == {5}
    assert sizes[-1] <= 5


def _reasoning(one):
    if one.get("choices"):
        return one["choices"][0]["delta"].get("reasoning_content")
    if one.get("type") == "response.reasoning_text.delta":
        return one["delta"]
    place = one.get("message") or one.get("delta")
    return place.get("thinking") if isinstance(place, dict) else None


def test_a_response_that_breaks_off_tells_its_client_behind_what_was_decided():
    pieces = [scripts._chunk({"reasoning_content": word}, 0) for word in ("First a ", "step. ", "So it is. ")]
    with running(Engine(streaming(*pieces)), {"default": {"pacing": {"characters": 3, "seconds": 0.005}}}) as own:
        out = post(own.url, {**ASK, "stream": True})[2]
    assert read(CHAT, "", out).reasoning == ["First a step. So it is."]
    assert payloads(out)[-1]["error"]["code"] == "upstream_gone"
