"""The laws of the design that every text defense keeps, on texts made to break them."""

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.texts import cut_points, pieces, reasonings

import antidistill as ad
from antidistill.defenses import edit, from_spec, make, spec
from antidistill.errors import DefenseError
from antidistill.trace import Trace, apply_edits, undo_edits

KEY = b"a secret of the tests"
METHODS = {
    "none": {},
    "traceguard": {"k": 3},
    "traceguard-share": {"method": "traceguard", "share": 0.2},
    "marker-words": {},
    "random-sentences": {"share": 0.4},
    "random-sentences-match": {"method": "random-sentences", "match": "traceguard"},
    "branches": {"share": 0.6},
    "exchange": {},
    "steps": {"share": 0.5},
    "anchors": {"share": 0.4},
    "anchors-whole": {"method": "anchors", "share": 0.4, "scorer": {"scorer": "text", "view": "whole"}},
    "anchors-exchange": {"method": "anchors", "share": 0.6, "act": "exchange", "scorer": "length"},
    "anchors-branch": {"method": "anchors", "share": 0.6, "act": "branch"},
    "branches-mixed": {"method": "branches", "share": 0.6, "mix": 0.5},
}


def defense(case):
    options = dict(METHODS[case])
    return make(options.pop("method", case), key=KEY, **options)


def stream(case: str, text: str, trace_key: bytes, cuts: list[int]) -> tuple[str, list[ad.Edit]]:
    editor = defense(case).begin(trace_key)
    left = [editor.feed(piece) for piece in pieces(text, cuts)]
    return "".join([*left, editor.close()]), editor.edits


@pytest.mark.parametrize("case", METHODS)
@settings(max_examples=150, deadline=None)
@given(text=reasonings, cuts=cut_points, trace_key=st.binary(min_size=32, max_size=32))
def test_stream_and_whole_text_agree(case, text, cuts, trace_key):
    edits = edit(defense(case), text, trace_key)
    streamed, stream_edits = stream(case, text, trace_key, cuts)
    assert stream_edits == edits
    assert streamed == apply_edits(text, edits)


@pytest.mark.parametrize("case", METHODS)
@settings(max_examples=100, deadline=None)
@given(text=reasonings, cuts=cut_points, trace_key=st.binary(min_size=32, max_size=32))
def test_what_has_left_depends_on_what_came_and_not_on_how_it_was_cut(case, text, cuts, trace_key):
    editor, came, left = defense(case).begin(trace_key), "", ""
    for piece in pieces(text, cuts):
        came += piece
        left += editor.feed(piece)
        assert left == defense(case).begin(trace_key).feed(came)


@pytest.mark.parametrize("case", METHODS)
@settings(max_examples=60, deadline=None)
@given(text=reasonings, trace_key=st.binary(min_size=32, max_size=32))
def test_edits_are_sorted_reversible_and_rebuilt_from_the_spec(case, text, trace_key):
    edits = edit(defense(case), text, trace_key)
    ends = [0, *(item.end for item in edits)]
    assert all(end <= item.start < item.end <= len(text) for end, item in zip(ends, edits, strict=False))
    removed = "".join(text[item.start : item.end] for item in edits)
    spans = [(item.start, item.end, len(item.replacement)) for item in edits]
    assert undo_edits(apply_edits(text, edits), spans, removed) == text
    assert edit(from_spec(spec(defense(case)), KEY), text, trace_key) == edits


@pytest.mark.parametrize("case", METHODS)
def test_one_character_at_a_time_on_real_traces(case, shared):
    table = pq.read_table(shared / "traces_gsm8k_4models.parquet", columns=["question", "reasoning"])
    for row in table.slice(40, 12).to_pylist():
        trace = Trace(id="", prompt=row["question"], reasoning=row["reasoning"][:5000], answer="")
        streamed, _ = stream(case, trace.reasoning, trace.key, list(range(len(trace.reasoning))))
        assert streamed == ad.guard(trace, defense(case)).reasoning


def test_another_key_or_prompt_makes_other_choices():
    text = " ".join(f"Wait, this is thought number {number}. It goes on for a while." for number in range(60))
    choices = {
        str(edit(make("branches", share=0.3, key=key), text, Trace("", prompt, "", "").key))
        for key in (b"one", b"two")
        for prompt in ("first question", "second question")
    }
    assert len(choices) == 4


def test_what_is_sure_to_stay_leaves_at_once():
    editor = make("traceguard", k=5).begin(b"")
    assert editor.feed("The total is ") == "The total is"
    assert editor.feed("five. W") == " five."
    assert editor.feed("e add. Wai") == " We add."
    assert editor.feed("t, no. Ho") == ""
    assert editor.feed("wever, it") == " However, it"
    assert editor.close() == ""


def test_a_failing_defense_is_a_named_error():
    class Broken:
        streams = True

        def begin(self, trace_key):
            raise ZeroDivisionError("secret text")

    with pytest.raises(DefenseError) as caught:
        edit(Broken(), "Wait, no.", b"")
    assert "secret text" not in str(caught.value)
