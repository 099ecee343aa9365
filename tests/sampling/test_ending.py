"""Where the reasoning ends: told token by token, it is where files of traces are split."""

import dataclasses

import pytest

pytest.importorskip("torch", reason="needs torch")

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.sampling.tiny import tokenizer

from antidistill.sampling import Frame, Prompt, Settings
from antidistill.sampling.decode.draws import Draws
from antidistill.sampling.decode.ending import Ending
from antidistill.sampling.decode.row import Row
from antidistill.sampling.settings import plain_ids
from antidistill.text import thinking

pytestmark = pytest.mark.models

PIECES = st.lists(
    st.sampled_from(["we add ", "`", "</think>", "\n", "'", "</thi", "nk>", "ten ", "<think>", " wait", ">"]),
    max_size=14,
)
SETTINGS = Settings(reasoning_tokens=10_000, answer_tokens=10_000)


def written(text, frame=Frame(), tag_is_token=True, settings=SETTINGS, forcing=()):  # noqa: B008
    """A row that was given the tokens of a text, and for each token whether the method acted on it."""
    core = tokenizer(tag_is_token=tag_is_token)
    ending = Ending(core, frame, [0])
    row = Row(0, Prompt("1", "p"), 0, [5], Draws(b"", bytes(32)))
    acted = []
    for token in plain_ids(core, text):
        acted.append(row.reasons and not row.doubtful)
        row.add(token, ending, settings, forcing)
    return row, ending, acted


@pytest.mark.parametrize("tag_is_token", [True, False])
@given(pieces=PIECES)
@hypothesis_settings(max_examples=150, deadline=None)
def test_the_end_is_where_a_file_of_traces_is_split(tag_is_token, pieces):
    text = "So. " + "".join(pieces)
    row, ending, _ = written(text, tag_is_token=tag_is_token)
    found = thinking.find("<think>" + text)[0]
    parts = ending.parts(row.tokens)
    assert parts.reasoning == ("<think>" + text)[found.start : found.end]
    assert row.reasons == (not parts.closed)
    assert text.startswith(parts.reasoning)
    assert text.endswith(parts.answer)


@pytest.mark.parametrize("tag_is_token", [True, False])
def test_the_answer_is_clean_from_its_first_token(tag_is_token):
    row, ending, acted = written("take half</think>ten again", tag_is_token=tag_is_token)
    parts = ending.parts(row.tokens)
    assert (parts.reasoning, parts.answer, parts.closed) == ("take half", "ten again", True)
    assert not any(acted[row.reasoning :])
    assert all(acted[: ending.body(row.tokens, row.reasoning)])
    assert ending.decode(row.tokens[: ending.body(row.tokens, row.reasoning)]) == "take half"


def test_a_mention_does_not_end_the_reasoning():
    row, ending, _ = written("say `</think>` and wait")
    assert row.reasons
    assert not ending.parts(row.tokens).closed
    row, ending, _ = written("say `</think> ten")
    assert not row.reasons


def test_closings_of_ones_own():
    row, ending, _ = written("take half\nAnswer: ten", Frame(closings=("Answer:", "###")))
    assert ending.parts(row.tokens) == ("take half\n", "ten", True, True)
    assert not row.reasons


def test_exempt_tokens_are_special_ones_stops_and_starts_of_closings():
    whole, torn = tokenizer(), tokenizer(tag_is_token=False)
    assert {0, 1, *plain_ids(whole, "</think>"), *plain_ids(whole, "<think>")} == set(
        Ending(whole, Frame(), [0]).exempt
    )
    closing = plain_ids(torn, "</think>")
    ending = Ending(torn, Frame(), [0])
    assert len(closing) > 1
    assert closing[0] in ending.exempt
    assert ending.begun([7, *closing[:1]])
    assert ending.begun([7, *closing[:2]])
    assert not ending.begun([*closing, 7])


def test_budgets_end_a_text_or_force_an_answer():
    short = dataclasses.replace(SETTINGS, reasoning_tokens=4, answer_tokens=3)
    row, _, _ = written("a b c", settings=dataclasses.replace(short, reasoning_tokens=3))
    assert row.ended == "length"
    forcing = [7, 8]
    row, _, _ = written("a b", settings=dataclasses.replace(short, reasoning_tokens=3), forcing=forcing)
    assert not row.ended
    assert list(row.forced) == forcing
    assert not row.reasons
