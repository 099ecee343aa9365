"""Copies of the reasoning elsewhere in the row, and the laws of places."""

import itertools

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.formats import Place, changes, locate
from antidistill.formats.found import strings, value_at

R = "Okay, two and two.\nWait, let me check that.\n\nFour it is."
R2 = "Alternatively, count on the fingers: one, two, three, four."


def paths(row):
    return [[place.path for place in found.places] for found in locate(row)]


@pytest.mark.parametrize(
    "copy",
    [R, f"Q\n<think>\n{R}\n</think>\n\nIt is 4.", f"{{'reasoning': '{R}'}}", f"user: 2+2\n{R}\nIt is 4."],
)
def test_other_columns_that_hold_the_reasoning(copy):
    assert paths({"reasoning": R, "answer": "4", "full": copy}) == [[("reasoning",), ("full",)]]


def test_copies_deep_in_the_row():
    row = {"reasoning": R, "meta": {"log": ["x", {"raw": f"> {R} <"}]}, "answer": "4"}
    (found,) = locate(row)
    assert found.places[1] == Place(("meta", "log", 1, "raw"), 2, 2 + len(R))


def test_text_that_repeats_it_twice():
    (found,) = locate({"reasoning": R, "log": f"{R}|{R}"})
    assert [place[1:] for place in found.places[1:]] == [(0, len(R)), (len(R) + 1, 2 * len(R) + 1)]


def test_two_columns_of_the_same_reasoning_are_one_trace():
    assert paths({"reasoning": R, "thinking": R, "answer": "4"}) == [[("reasoning",), ("thinking",)]]


def test_field_and_tagged_content_are_one_trace():
    message = {"role": "assistant", "reasoning_content": R, "content": f"<think>\n{R}\n</think>\n4"}
    (found,) = locate({"messages": [message]})
    assert found.trace.answer == "4"
    assert found.places == (
        Place(("messages", 0, "reasoning_content"), 0, len(R)),
        Place(("messages", 0, "content"), 8, 8 + len(R)),
    )


@pytest.mark.parametrize("around", ["\n{}\n", "\n\n{}", "{} "])
def test_a_copy_without_the_white_space_around(around):
    (found,) = locate({"reasoning": around.format(R), "log": f"[{R}]", "answer": "4"})
    assert found.trace.reasoning == R
    assert [place.path for place in found.places] == [("reasoning",), ("log",)]


def test_white_space_that_differs_on_both_sides():
    (found,) = locate({"reasoning": f"\n{R}", "thinking": f"{R}\n", "answer": "4"})
    assert found.trace.reasoning == R
    assert found.places == (Place(("reasoning",), 1, 1 + len(R)), Place(("thinking",), 0, len(R)))


def test_prompt_and_answer_are_never_places():
    row = {"prompt": f"Go on: {R}", "reasoning": R, "answer": f"I thought: {R} So 4.", "gold": "4"}
    assert paths(row) == [[("reasoning",)]]
    assert paths({"response": f"<think>{R}</think>I thought: {R}"}) == [[("response",)]]
    assert locate({"response": f"<think>{R}</think>I thought: {R}"})[0].places == (Place(("response",), 7, 7 + len(R)),)


@pytest.mark.parametrize("quote", ["Wait, let me check that.", R[:-1], R.upper()])
def test_quotes_are_not_copies(quote):
    assert paths({"reasoning": R, "comment": f"It says: {quote}"}) == [[("reasoning",)]]


@pytest.mark.parametrize("answer", ["So 4.</think>4", "Write <think> first.\n<think>x</think>", f"{R2}\n</think>4"])
def test_answers_beside_reasoning_stay_whole(answer):
    (found,) = locate({"reasoning": R, "response": answer})
    assert found.trace.answer == answer
    (found,) = locate({"messages": [{"role": "assistant", "reasoning": R, "content": answer}]})
    assert found.trace.answer == answer


def test_an_answer_that_opens_with_reasoning_is_what_follows_it():
    for answer in (f"<think>{R2}</think>4", f"\n<think>{R2}</think>4", f"So: <think>{R}</think>4"):
        assert locate({"reasoning": R, "answer": answer})[0].trace.answer == "4"


def test_short_reasoning_is_not_looked_for():
    assert paths({"reasoning": "So 4.", "answer": "4", "comment": "So 4."}) == [[("reasoning",)]]


def test_reasoning_inside_longer_reasoning_has_places_of_its_own():
    row = {"generations": [f"<think>{R} {R2}</think>4", f"<think>{R}</think>4"], "log": f"{R} {R2} and {R}"}
    longer, shorter = locate(row)
    assert longer.places[1:] == (Place(("log",), 0, len(R) + 1 + len(R2)),)
    assert shorter.places[1:] == (Place(("log",), len(R) + len(R2) + 6, 2 * len(R) + len(R2) + 6),)


PROSE = st.lists(
    st.sampled_from([R, R2, "Wait.", " ", "\n", "</think>", "<think>", "4", "`", "x" * 40]), max_size=6
).map("".join)
CHAT = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system"]), "content": PROSE},
        optional={"reasoning": PROSE, "thinking": PROSE},
    ),
    max_size=3,
)
ROWS = st.fixed_dictionaries(
    {"reasoning": st.none() | PROSE},
    optional={
        "question": PROSE,
        "response": PROSE,
        "answer": PROSE,
        "text": PROSE,
        "generations": st.lists(PROSE, max_size=3),
        "messages": CHAT,
        "note": PROSE,
        "n": st.integers(),
        "log": st.dictionaries(st.sampled_from("ab"), PROSE),
    },
)


@given(ROWS)
def test_places_hold_the_reasoning_and_never_overlap(row):
    spans = {}
    for trace, places in locate(row):
        for path, start, end in places:
            assert value_at(row, path)[start:end] == trace.reasoning
            spans.setdefault(path, []).append((start, end))
    for taken in spans.values():
        taken.sort()
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(taken))


@pytest.mark.parametrize("file", ["traces_illposed_stress.parquet", "traces_thought_anchors_math.parquet"])
def test_real_rows_have_one_trace_each(shared, file):
    for row in pq.read_table(shared / file).to_pylist():
        (found,) = locate(row)
        assert found.trace.reasoning == row["reasoning"]
        assert found.trace.answer == row["response"] or (not row["response"] and found.trace.answer == row["answer"])


@given(ROWS, st.data())
def test_changes_replace_every_place_and_nothing_else(row, data):
    found = locate(row)
    new = [data.draw(st.sampled_from(["", "Four.", "Wait. Four it is, I say, and that is all."])) for _ in found]
    changed = {change.path: change for change in changes(row, zip(found, new, strict=True))}
    expected = {path: _by_hand(path, text, found, new) for path, text in strings(row)}
    for path, text in strings(row):
        assert (changed[path].new if path in changed else text) == expected[path]
        assert path not in changed or changed[path].old == text


def _by_hand(path, text, found, new):
    places = [(p.start, p.end, text_) for f, text_ in zip(found, new, strict=True) for p in f.places if p.path == path]
    for start, end, replacement in sorted(places, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text
