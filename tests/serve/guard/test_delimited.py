"""Delimited reasoning in a stream: as in a file, whatever the cuts; where texts mix the delimiters of several models, never less."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.serve.guard.delimited import Delimited
from antidistill.serve.policies import Unopened
from antidistill.text import thinking
from antidistill.text.thinking import DELIMITERS

FILL = [" ", "\n", "a", "So b. ", "`", '"', "```", "x <", ".", " and"]
SIGNS = [sign for d in DELIMITERS for sign in (d.opening, *d.closings)]
SIGN = re.compile("|".join(map(re.escape, SIGNS)))


def of_one_family(delimiters):
    signs = [delimiters.opening, *delimiters.closings, *(delimiters.answer or ())]
    return st.lists(st.sampled_from([*signs, *FILL]), max_size=9).map("".join)


of_many_families = st.lists(st.sampled_from([*SIGNS, *FILL]), max_size=9).map("".join)


def in_a_file(text):
    """For each character, whether a file takes it for reasoning."""
    blocks = thinking.find(text)
    return [any(block.start <= at < block.end for block in blocks) for at in range(len(text))]


def streamed(text, unopened=Unopened.HOLD, places=()):
    """The same for a stream that is cut at these places."""
    delimited, marks, told = Delimited(unopened), [], ""
    cuts = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    segments = [s for a, b in pairwise(cuts) for s in delimited.feed(text[a:b])]
    for segment in [*segments, *delimited.close()]:
        told += segment.text
        marks += [segment.reasoning] * len(segment.text)
    assert told == text
    return marks


@pytest.mark.parametrize("unopened", list(Unopened))
@settings(max_examples=120, deadline=None)
@given(text=of_many_families, places=st.lists(st.integers(0, 200), max_size=12))
def test_cuts_change_nothing_and_no_character_gets_lost(unopened, text, places):
    assert streamed(text, unopened, places) == streamed(text, unopened)


@settings(max_examples=300, deadline=None)
@given(text=st.sampled_from([d for d in DELIMITERS if not d.opening.startswith("<|")]).flatmap(of_one_family))
def test_with_the_delimiters_of_one_model_a_stream_is_read_as_a_file_is(text):
    assert streamed(text) == in_a_file(text)


@settings(max_examples=300, deadline=None)
@given(text=of_many_families)
def test_with_delimiters_of_several_models_nothing_leaves_that_a_file_would_guard(text):
    sign = {at for match in SIGN.finditer(text) for at in range(*match.span())}
    pairs = zip(in_a_file(text), streamed(text), strict=True)
    left = [text[at] for at, (file, stream) in enumerate(pairs) if file and not stream and at not in sign]
    assert "".join(left).strip() == ""


@pytest.mark.parametrize(
    ("text", "reasoning"),
    [
        ("a <thinking> one ◁/think▷ two</thinking> b", "a <thinking> one "),
        ("x.<thinking> one ◁/think▷ two</thinking> b", " one ◁/think▷ two"),
        ("<seed:think>x <|channel|>analysis<|message|> y</seed:think>z", "x <|channel|>analysis<|message|> y"),
        ("plain `<think>` words </think> here", "plain `<think>` words "),
    ],
)
def test_examples(text, reasoning):
    assert "".join(c for c, mark in zip(text, streamed(text), strict=True) if mark) == reasoning


def test_giving_up_lets_everything_leave_as_an_answer():
    delimited = Delimited(Unopened.HOLD)
    assert delimited.feed("Plain words") == []
    assert delimited.waiting == 11
    delimited.give_up()
    assert [(s.reasoning, s.text) for s in delimited.close()] == [(False, "Plain words")]
    assert delimited.plain
