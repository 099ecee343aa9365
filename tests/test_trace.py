"""Edits applied by the compiled code and by Python are the same."""

from hypothesis import given
from hypothesis import strategies as st

from antidistill import trace
from antidistill.trace import Edit, apply_edits, apply_spans, as_spans, undo_edits

TEXTS = st.text(st.sampled_from("ab .\né中😀"), max_size=60)


@st.composite
def edited(draw):
    text = draw(TEXTS)
    bounds = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pairs = zip(bounds[::2], bounds[1::2], strict=False)
    return text, [
        Edit(start, end, draw(st.text(st.sampled_from("xé中😀"), max_size=3)), "test") for start, end in pairs
    ]


@given(edited())
def test_spans_do_what_edits_do_and_can_be_undone(case):
    text, edits = case
    after, removed = apply_spans(text, as_spans(edits))
    assert after == apply_edits(text, edits)
    assert undo_edits(after, [(edit.start, edit.end, len(edit.replacement)) for edit in edits], removed) == text


@given(edited())
def test_python_does_what_the_compiled_code_does(case):
    text, edits = case
    compiled, trace._apply = trace._apply, None
    try:
        without = apply_spans(text, as_spans(edits))
    finally:
        trace._apply = compiled
    assert without == apply_spans(text, as_spans(edits))
