"""Which sentences open with a marker."""

import pytest
from hypothesis import given
from tests.texts import reasonings

from antidistill.errors import BadOption, InputError
from antidistill.text.markers import DEFAULT, UNDECIDED, resolve


@pytest.mark.parametrize(
    "sentence",
    ["Wait, no.", "wait no", "WAIT!", "But wait, no.", "Oh, wait.", "Oh wait", "**Wait** no", "*Wait*, no", '"Wait, no."', "- Wait, no.",
     "• Hmm", "1. Wait, no.", "2) Hmm", "Hmmmm... no", "Hm, no", "Hold on a second.", "Hold\non", "Let me check.", "Okay, so wait, no.",
     "Actually no", "Alternatively, we add.", "(Wait, no.)", "> Wait", "等等，不对。", "\n\nWait."],
)  # fmt: skip
def test_opens_with_a_marker(sentence):
    assert DEFAULT.opening(sentence) > 0


@pytest.mark.parametrize(
    "sentence",
    ["Waiting for it.", "We wait.", "The wait is over.", "Waiter!", "Let me checkmate.", "Hold only.", "But we wait.", "12 waits.", "", "  ",
     "123. Wait", "Butwait", "So we hold on."],
)  # fmt: skip
def test_does_not_open_with_a_marker(sentence):
    assert DEFAULT.opening(sentence) == 0


def test_the_end_of_the_opening_is_the_end_of_its_words():
    assert DEFAULT.opening("But wait, no") == len("But wait")
    assert DEFAULT.opening("So. Hmmmm, no", 4) == len("So. Hmmmm")


@given(text=reasonings)
def test_a_cut_off_sentence_is_undecided_or_agrees_with_the_whole(text):
    whole = DEFAULT.opening(text)
    for end in range(len(text)):
        early = DEFAULT.opening(text[:end], 0, final=False)
        assert early in {UNDECIDED, whole}


def test_markers_from_files(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("Next\nThen again\n", encoding="utf-8")
    assert resolve(str(words)).opening("Then again, no") == len("Then again")
    table = tmp_path / "words.json"
    table.write_text('{"words": ["next"], "leads": []}', encoding="utf-8")
    assert resolve(str(table)).opening("But next") == 0
    assert resolve({"words": ["next"], "leads": ["but"]}).opening("But next") == len("But next")


def test_marker_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(InputError, match="missing.txt"):
        resolve(str(tmp_path / "missing.txt"))
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="not JSON"):
        resolve(str(broken))
    with pytest.raises(BadOption):
        resolve([" "])
