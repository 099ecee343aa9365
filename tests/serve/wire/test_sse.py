"""Events are cut as browsers cut them, keep their bytes, and are no longer than allowed."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.errors import UpstreamGarbage
from antidistill.serve.wire.ndjson import LineCutter
from antidistill.serve.wire.ndjson import read as read_line
from antidistill.serve.wire.sse import EventCutter, encode, read

lines = st.sampled_from([b"data: {}", b"data:x", b"event: a", b": comment", b"id: 1", b"data: \xc3\xa9", b"odd", b""])
newlines = st.sampled_from([b"\n", b"\r\n", b"\r"])
streams = st.lists(st.tuples(lines, newlines), max_size=14).map(lambda parts: b"".join(a + b for a, b in parts))


def cut(data, places, make=lambda: EventCutter(10_000)):
    cutter = make()
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    events = [event for a, b in pairwise(bounds) for event in cutter.feed(data[a:b])]
    return events, cutter.rest()


@settings(max_examples=200, deadline=None)
@given(streams, st.lists(st.integers(0, 300), max_size=9))
def test_events_are_all_bytes_in_order_and_do_not_depend_on_cuts(data, places):
    events, rest = cut(data, places)
    assert b"".join([*events, rest]) == data
    whole, rest_of_whole = cut(data, [])
    assert b"".join([*whole, rest_of_whole]) == data
    told = [read(event).data for event in (*events, rest) if read(event).data is not None]
    assert told == [read(event).data for event in (*whole, rest_of_whole) if read(event).data is not None]


@given(st.binary(max_size=200), st.lists(st.integers(0, 300), max_size=9))
def test_lines_of_json_too(data, places):
    events, rest = cut(data, places, lambda: LineCutter(10_000))
    assert b"".join([*events, rest]) == data
    assert all(event.endswith(b"\n") and event.count(b"\n") == 1 for event in events)


@pytest.mark.parametrize("make", [EventCutter, LineCutter])
def test_an_event_that_never_ends_is_garbage(make):
    cutter = make(100)
    cutter.feed(b"data: " + b"x" * 90)
    with pytest.raises(UpstreamGarbage, match="more than 100 bytes"):
        cutter.feed(b"x" * 90)


@pytest.mark.parametrize(
    ("raw", "data", "clean"),
    [
        (b"data: a\n\n", b"a", True),
        (b"data:a\r\ndata: b\r\n\r\n", b"a\nb", True),
        (b": short\n\n", None, True),
        (b": " + b"long" * 40 + b"\n\n", None, False),
        (b"event: x\ndata: a\nsecret: b\n\n", b"a", False),
        (b"\xef\xbb\xbfdata: a\n\n", b"a", True),
        (b"event: x\n\n", None, True),
    ],
)
def test_the_fields_of_an_event(raw, data, clean):
    event = read(raw)
    assert (event.data, event.clean) == (data, clean)


def test_other_data_in_the_same_event():
    event = read(b"event: x\ndata: a\ndata: b\n\n")
    assert read(event.having(b"c\nd")).data == b"c\nd"
    assert event.having(b"c\nd").startswith(b"event: x\n")
    assert read(encode(b"{}", "name")).data == b"{}"
    assert read_line(b'  {"a":1}\r\n').having(b"{}") == b"  {}\r\n"
