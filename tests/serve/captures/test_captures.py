"""Captures of every dialect come out as they are kept here, however the network cuts them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serve.captures.texts import ANSWER, CUT, REASONING
from tests.serve.captures.write import captures, guarded, place
from tests.serve.replay import context
from tests.serve.replay import guarded as in_a_file

from antidistill.trace import Trace

NAMES = [name for name, _ in captures()]
STREAMS = [name for name in NAMES if not name.endswith(".json")]
SIGNED = {"messages-signed.sse"}
SHOWN = in_a_file(Trace("1", "p", REASONING, ANSWER), context("p"))


def kept(name, side):
    return place(name, side).read_bytes()


def events(data):
    """JSON objects of a stream or a body."""
    text = data.decode().replace("\r\n", "\n")
    lines = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith(("data: {", "{"))]
    return [json.loads(line) for line in lines] if len(lines) > 1 else [json.loads(text)]


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def fields(value, index=0, found=None):
    """What a client joins: all texts of one name and index, in order."""
    found = {} if found is None else found
    if isinstance(value, list):
        for inner in value:
            fields(inner, index, found)
    elif isinstance(value, dict):
        index = value.get("index", index)
        for name, inner in value.items():
            if isinstance(inner, str):
                found[index, name] = found.get((index, name), "") + inner
            else:
                fields(inner, index, found)
    return found


def test_the_captures_are_those_that_the_script_writes():
    assert {name: kept(name, "in") for name in NAMES} == dict(captures())


@pytest.mark.parametrize("name", NAMES)
def test_what_leaves_is_what_is_kept(name):
    assert guarded(name, kept(name, "in")) == kept(name, "out")


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(STREAMS), data=st.data())
def test_what_leaves_does_not_depend_on_how_the_network_cuts(name, data):
    capture = kept(name, "in")
    places = sorted(data.draw(st.sets(st.integers(0, len(capture)), max_size=30)))
    pieces = [capture[a:b] for a, b in zip([0, *places], [*places, len(capture)], strict=True)]
    assert guarded(name, capture, pieces) == kept(name, "out")


@pytest.mark.parametrize("name", STREAMS)
def test_byte_by_byte(name):
    capture = kept(name, "in")
    assert guarded(name, capture, [capture[at : at + 1] for at in range(len(capture))]) == kept(name, "out")


@pytest.mark.parametrize("name", NAMES)
def test_the_cut_sentence_is_nowhere_and_the_answer_is_whole(name):
    said = fields(events(kept(name, "out")))
    assert any(CUT in text for text in said.values()) == (name in SIGNED)
    assert "tool-calls" in name or any(ANSWER in text for text in said.values())
    assert name in SIGNED or any(SHOWN in text for text in said.values())


@pytest.mark.parametrize("name", STREAMS)
def test_no_count_of_what_was_cut_leaves(name):
    """An event for every word of a cut sentence, with nothing in it, would be one."""
    nothing = [event for event in events(kept(name, "out")) if _says_nothing(event)]
    assert len(nothing) <= sum(map(_says_nothing, events(kept(name, "in")))) + 1


def _says_nothing(event):
    choices = event.get("choices") or ([event["message"]] if "message" in event else [])
    texts = [text for choice in choices for text in strings(choice.get("delta", choice))]
    return bool(choices) and not "".join(texts).replace("assistant", "").replace("reasoning.text", "").replace(
        "unknown", ""
    )


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_what_a_third_party_signed_leaves_byte_for_byte(name):
    assert kept(name, "out") == kept(name, "in")
