import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.samples import guarded_by

from antidistill.errors import LedgerError
from antidistill.report.parts import cut
from antidistill.report.spans import Span, from_edits, from_texts

SENTENCES = ["Wait, no. ", "So x = 3.\n\n", "Then 4. ", "Hmm, 5? ", "The sum is 7. ", "\n", "等等。", "a"]
texts = st.lists(st.sampled_from(SENTENCES), max_size=12).map("".join) | st.text(max_size=40)


def parts_of(before, after):
    return [(part.kind, part.before, part.after) for part in cut(before, after, from_texts(before, after))]


@given(texts, texts)
def test_the_parts_give_back_both_texts(before, after):
    parts = cut(before, after, from_texts(before, after))
    assert "".join(part.before for part in parts) == before
    assert "".join(part.after for part in parts) == after
    assert all((part.before == part.after) == (part.kind == "same") for part in parts)


@given(texts)
def test_equal_texts_have_no_spans(text):
    assert from_texts(text, text) == []


@pytest.mark.parametrize("method", ["traceguard", "marker-words", "branches", "exchange", "random-sentences", "steps"])
def test_edits_of_every_method_and_the_comparison_lead_to_the_same_text(clean, method):
    for result in guarded_by(method, clean):
        recorded = [(edit.start, edit.end, len(edit.replacement), edit.reason) for edit in result.edits]
        original = result.trace.reasoning
        for spans in (from_edits(recorded), from_texts(original, result.reasoning)):
            parts = cut(original, result.reasoning, spans)
            assert "".join(part.after for part in parts) == result.reasoning
            assert "".join(part.before for part in parts) == original


def test_a_deleted_sentence_takes_its_white_space_along():
    assert parts_of("A is 1.\n\nWait, x is 3. B is 2. C.", "A is 1. B is 2. C.") == [
        ("same", "A is 1.", "A is 1."),
        ("deleted", "\n\nWait, x is 3.", ""),
        ("same", " B is 2. C.", " B is 2. C."),
    ]


def test_a_replacement_is_narrowed_to_words():
    assert parts_of("A. Wait, the sum is 3. B.", "A. The sum is 3. B.")[1:2] == [("replaced", "Wait, the", "The")]


def test_new_text_is_inserted():
    assert ("inserted", "", "Let us see. ") in parts_of("A. B.", "A. Let us see. B.")


def test_exchanged_sentences_are_moved():
    before = "A is 1. Wait, first. B is 2. C is 3. D is 4. Wait, second. E is 5."
    after = "A is 1. Wait, second. B is 2. C is 3. D is 4. Wait, first. E is 5."
    moves = [part for part in parts_of(before, after) if part[0] != "same"]
    assert moves == [("moved", "Wait, first. ", "Wait, second. "), ("moved", "Wait, second. ", "Wait, first. ")]


def test_recorded_reasons_are_kept_and_the_kind_comes_from_the_text():
    (part,) = [part for part in cut("A. Wait. B.", "A. B.", from_edits([(3, 9, 0, "marker")])) if part.reason]
    assert (part.kind, part.reason, part.before) == ("deleted", "marker", "Wait. ")


def test_offsets_shift_by_what_earlier_edits_changed():
    assert from_edits([(0, 4, 1, "x"), (6, 8, 0, "y")]) == [Span(0, 4, 0, 1, "x"), Span(6, 8, 3, 3, "y")]


def test_edits_of_another_text_are_refused():
    with pytest.raises(LedgerError, match="the ledger that was written with this file"):
        cut("A. Wait. B.", "A. B.", from_edits([(0, 3, 0, "marker")]))
