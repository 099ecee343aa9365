"""The text score: two views, its file, and what it does with odd rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.texts import reasonings

from antidistill import split
from antidistill.anchors import Scorer, make, score_all
from antidistill.anchors.text_score.model import default, load, save
from antidistill.anchors.text_score.scorer import TextScore
from antidistill.errors import BadOption, InputError, UnknownName
from antidistill.trace import Trace

TEXT = "We need a plan. Let me add: 2 + 2 = 4. Wait, is that right? Yes.\n\nSo the answer is 4."


@given(reasonings, st.integers(0, 40), st.booleans())
def test_the_streaming_view_never_looks_ahead(text, kept, position):
    scorer = TextScore(view="stream", position=position)
    sentences = split(text)
    assert scorer.values(sentences[:kept]) == scorer.values(sentences)[:kept]


def test_the_whole_view_sees_the_next_sentence_and_the_length():
    sentences = split(TEXT)
    text_only = TextScore(position=False)
    assert text_only.values(sentences[:2])[0] == text_only.values(sentences)[0]
    assert text_only.values(sentences[:1])[0] != text_only.values(sentences)[0]
    assert TextScore().values(sentences[:2])[1] != TextScore().values(sentences)[1]


def test_position_only_adds_what_the_place_says():
    sentences = split("It is so. " * 9)
    texts, placed = (TextScore(view="stream", position=position).values(sentences) for position in (False, True))
    added = [one - other for one, other in zip(placed, texts, strict=True)]
    assert added == sorted(added, reverse=True)
    assert added[0] == 0.0


def test_every_sentence_gets_a_number_and_a_row_without_reasoning_a_reason():
    good, *bad = score_all(make("text"), [Trace("1", "p", text, "a") for text in (TEXT, "", " \n")])
    assert all(isinstance(value, float) for value in good.values)
    assert sorted(good.ranks) == [1, 2, 3, 4, 5]
    assert all("no reasoning" in each.reason for each in bad)


def test_the_model_in_a_file_is_the_model(tmp_path):
    save(tmp_path / "weights.json", default())
    assert load(tmp_path / "weights.json") == default()
    assert make("text", weights=str(tmp_path / "weights.json")).values(split(TEXT)) == make("text").values(split(TEXT))


@pytest.mark.parametrize("content", ["", "{}", '{"measures": [], "stream": {}}', "[1]", '{"measures": 3}'])
def test_a_file_that_is_no_model_is_named(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError, match=r"x\.json holds no text score"):
        make("text", weights=str(tmp_path / "x.json"))


def test_options_are_checked():
    for wrong in ({"view": "half"}, {"position": "yes"}):
        with pytest.raises(BadOption):
            make("text", **wrong)
    with pytest.raises(UnknownName):
        make("text", size=3)
    assert isinstance(make("text"), Scorer)
