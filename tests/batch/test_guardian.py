"""What is done to one row, and why a trace stays as it is."""

import pytest
from tests.batch.rows import chat, trace

from antidistill import defenses
from antidistill.batch.edited import NO_TRACE, guarded_places, removed_sentences
from antidistill.batch.guardian import (
    EMPTY,
    NO_REASONING,
    NOT_DRAWN,
    NOTHING,
    Guardian,
    Settings,
)
from antidistill.errors import DefenseError, RowError
from antidistill.formats.leaks import Leaks
from antidistill.trace import Edit

KEY = bytes(range(32))


def guardian(method="traceguard", mix=None, leaks=Leaks.GUARD, **options):
    spec = defenses.spec(defenses.make(method, key=KEY, mix=mix, **options))
    return Guardian(Settings(spec, KEY, leaks=leaks))


def guard(one, row):
    (outcome,) = one.guard([row], 0)
    return outcome


def test_the_edits_are_those_of_the_library():
    row = trace(1)
    (edited,) = guard(guardian(k=2), row).edited
    own = defenses.guard(edited.found.trace, defenses.make("traceguard", key=KEY, k=2))
    assert edited.guarded == own.reasoning
    assert tuple(Edit(*span) for span in edited.edits) == own.edits
    assert edited.guarded != row["reasoning"]


@pytest.mark.parametrize(
    ("row", "mix", "reason"),
    [
        (trace(7), None, NOTHING),
        (trace(1) | {"reasoning": " "}, None, EMPTY),
        (trace(1), 0.0, NOT_DRAWN),
        (trace(1), None, ""),
    ],
)
def test_an_unchanged_trace_has_a_reason(row, mix, reason):
    one = guardian(mix=mix)
    (edited,) = guard(one, row).edited
    assert one.reason(edited) == reason


def test_a_row_without_a_trace_has_a_reason():
    assert guardian().reason(NO_TRACE) == NO_REASONING


def test_a_row_of_no_dialect_is_an_error():
    error = guard(guardian(), {"x": 1})
    assert isinstance(error, RowError)
    assert "no column can hold reasoning" in str(error)


def test_errors_and_blanks_are_passed_on_and_keep_their_places():
    error = RowError("not read")
    outcomes = guardian(k=2).guard([trace(1), error, None, {"x": 1}, trace(2)], 0)
    assert outcomes[1] is error
    assert outcomes[2] is None
    assert [type(one).__name__ for one in outcomes] == ["GuardedRow", "RowError", "NoneType", "RowError", "GuardedRow"]


def test_a_trace_without_an_id_is_called_after_its_row():
    row = {"reasoning": trace(1)["reasoning"], "answer": "4"}
    named = [outcome.edited[0].found.trace.id for outcome in guardian().guard([row, row], 6)]
    assert named == ["7", "8"]


def test_a_defense_that_fails_lets_nothing_out(monkeypatch):
    one = guardian()
    monkeypatch.setattr(one, "_defense", type("Broken", (), {"edit": lambda *_: 1 / 0})())
    outcome = guard(one, trace(1))
    assert isinstance(outcome, DefenseError)
    assert "metres" not in str(outcome)


def test_leaks_are_refused_or_removed():
    row = trace(1) | {"num_tokens": 33}
    assert "num_tokens" in str(guard(guardian(), row))
    assert guard(guardian(leaks=Leaks.DROP), row).removed == [("num_tokens",)]
    assert guard(guardian(leaks=Leaks.KEEP), row).removed == []


def test_places_move_with_the_edits_before_them():
    row = trace(1)
    twice = {
        "generations": [f"<think>{row['reasoning']}</think>4 <think>Wait, what? Hmm, no. It is 4, really.</think>4"]
    }
    result = guard(guardian(k=1), twice)
    (text,) = (change.new for change in result.changes)
    for edited, places in zip(result.edited, guarded_places(result.edited), strict=True):
        assert [text[start:end] for _, start, end in places] == [edited.guarded] * len(places)


def test_copies_are_places_too():
    row = chat(1)
    row["text"] = row["messages"][1]["content"]
    result = guard(guardian(k=1), row)
    (places,) = guarded_places(result.edited)
    assert len(places) == 2
    assert len(result.changes) == 2


@pytest.mark.parametrize(
    ("method", "options", "count"),
    [("traceguard", {"k": 1}, 1), ("traceguard", {"k": 2}, 2), ("traceguard", {"k": 9}, 4), ("marker-words", {}, 0)],
)
def test_removed_sentences_are_counted(method, options, count):
    (edited,) = guard(guardian(method, **options), trace(1)).edited
    assert edited.edits
    assert removed_sentences(edited) == count
