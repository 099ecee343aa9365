"""What the text score sees: measures in the order of reading, and nothing from further on."""

from hypothesis import given
from hypothesis import strategies as st
from tests.texts import reasonings

from antidistill import split
from antidistill.anchors.text_score.reading import CUES, MEASURES, Reading


def read(text: str) -> list[list[float]]:
    reading = Reading()
    return [reading.read(sentence) for sentence in split(text)]


def measured(text: str) -> list[dict[str, float]]:
    return [dict(zip(MEASURES, row, strict=True)) for row in read(text)]


@given(reasonings, st.integers(0, 40))
def test_what_comes_later_changes_nothing(text, kept):
    sentences = split(text)[:kept]
    reading = Reading()
    assert [reading.read(sentence) for sentence in sentences] == read(text)[: len(sentences)]


@given(st.text(max_size=300))
def test_every_text_has_finite_measures(text):
    assert all(len(row) == len(MEASURES) and all(abs(value) < 100 for value in row) for row in read(text))


def test_measures_say_what_their_names_say():
    first, second, third = measured("Wait, is 2 + 2 = 4?\n\nThe formula says 2 + 2.\nThe formula says it.")
    assert (first["doubt"], first["equation"], first["question"], first["opens a paragraph"]) == (1, 1, 1, 1)
    assert (second["fact"], second["doubt"], second["opens a paragraph"]) == (1, 0, 1)
    assert third["opens a paragraph"] == 0
    assert third["new words"] == 1.0  # "it"
    assert second["numbers"] == 2**0.5


def test_cues_fade_with_every_sentence():
    rows = measured("Wait, no. The sum is five. The sum is six. The sum is seven.")
    fading = [row["doubt, just before"] for row in rows]
    assert fading[0] == 0.0
    assert fading[1] > fading[2] > fading[3] > 0
    assert set(CUES) <= set(MEASURES)
