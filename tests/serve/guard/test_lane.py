"""One reasoning on its way: what is held, what a failure leaves, and limits."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.texts import reasonings

import antidistill as ad
from antidistill.errors import DefenseError, HeldTooLong
from antidistill.serve.guard.lane import Guard, Lane, whole
from antidistill.serve.policies import OnFailure
from antidistill.trace import trace_key

DEFENSE = ad.defense("traceguard", k=20, key=b"0123456789abcdef")


def guard(**more):
    return Guard(DEFENSE, trace_key("p"), **more)


@settings(max_examples=60, deadline=None)
@given(text=reasonings, size=st.integers(1, 9))
def test_what_left_and_what_is_held_are_all_there_is(text, size):
    lane = Lane(guard())
    out = ""
    for at in range(0, len(text), size):
        out += lane.feed(text[at : at + size])
        assert lane.original == text[: at + size]
        assert text[: at + size].endswith(lane.held)
    out += lane.close()
    assert (out, lane.held) == (whole(guard(), text)[0], "")
    assert (lane.came, lane.left) == (len(text), len(out))


def test_a_marker_sentence_is_held_and_another_one_is_not():
    lane = Lane(guard())
    lane.feed("First. Wait, this is")
    assert lane.held.strip() == "Wait, this is"
    other = Lane(guard())
    other.feed("First. Then this is")
    assert other.held.strip() == ""


def test_an_editor_that_does_not_tell_holds_all_since_it_last_gave_something():
    @dataclass(frozen=True)
    class Foreign:
        streams = True

        def begin(self, trace_key):
            return Editor()

    class Editor:
        edits = ()

        def feed(self, text):
            return text if text.endswith(".") else ""

        def close(self):
            return ""

    lane = Lane(Guard(Foreign(), b""))
    lane.feed("One.")
    assert lane.held == ""
    lane.feed("Two ")
    lane.feed("three")
    assert lane.held == "Two three"


@pytest.mark.parametrize("then", list(OnFailure))
def test_the_limit_of_time(then):
    lane = Lane(guard(on_failure=then))
    lane.feed("First. Wait, no")
    if then is OnFailure.FAIL:
        with pytest.raises(HeldTooLong):
            lane.expire()
        return
    lane.expire()
    assert (lane.failed, lane.failure, lane.held) == (True, "HeldTooLong", "")
    assert lane.feed(" more.") == (" more." if then is OnFailure.PASS else "")
    assert "Wait" not in lane.guarded + lane.close()


def test_the_limit_of_characters():
    lane = Lane(guard(hold_bytes=18, on_failure=OnFailure.FAIL))
    lane.feed("Wait, and on and")
    with pytest.raises(DefenseError):
        lane.feed(" on.")


def test_every_wait_is_told_once():
    waits = []
    lane = Lane(guard(waited=waits.append))
    for word in ("First. ", "Wait, ", "no. ", "Then ", "it ", "is. "):
        lane.feed(word)
    lane.close()
    assert waits
    assert all(seconds >= 0 for seconds in waits)


def test_a_defense_that_does_not_stream_is_never_late():
    lane = Lane(Guard(ad.defense("exchange", key=b"0123456789abcdef"), trace_key("p")))
    lane.feed("Wait, this stays here until the end.")
    assert lane.held == ""


def test_a_lane_that_forgets_holds_no_text():
    lane = Lane(guard())
    lane.feed("First. Wait, this is wrong. Then.")
    lane.close()
    lane.forget()
    assert (lane.original, lane.guarded, lane.held, lane.edits) == ("", "", "", [])
