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
from antidistill.errors import RowError
from antidistill.formats.leaks import Leaks

KEY = bytes(range(32))


def guardian(method="traceguard", mix=None, leaks=Leaks.GUARD, **options):
    spec = defenses.spec(defenses.make(method, key=KEY, mix=mix, **options))
    return Guardian(Settings(spec, KEY, leaks=leaks))


def test_the_edits_are_those_of_the_library():
    row = trace(1)
    (edited,) = guardian(k=2).guard(row, "1").edited
    own = defenses.guard(edited.found.trace, defenses.make("traceguard", key=KEY, k=2))
    assert edited.guarded == own.reasoning
    assert tuple(edited.edits) == own.edits
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
    (edited,) = one.guard(row, "1").edited
    assert one.reason(edited) == reason


def test_a_row_without_a_trace_has_a_reason():
    assert guardian().reason(NO_TRACE) == NO_REASONING


def test_a_row_of_no_dialect_is_an_error():
    with pytest.raises(RowError, match="no column can hold reasoning"):
        guardian().guard({"x": 1}, "1")


def test_a_defense_that_fails_lets_nothing_out(monkeypatch):
    one = guardian()
    monkeypatch.setattr(one, "_defense", type("Broken", (), {"edit": lambda *_: 1 / 0})())
    with pytest.raises(Exception, match="failed") as raised:
        one.guard(trace(1), "1")
    assert "metres" not in str(raised.value)


def test_leaks_are_refused_or_removed():
    row = trace(1) | {"num_tokens": 33}
    with pytest.raises(RowError, match="num_tokens"):
        guardian().guard(row, "1")
    assert guardian(leaks=Leaks.DROP).guard(row, "1").removed == [("num_tokens",)]
    assert guardian(leaks=Leaks.KEEP).guard(row, "1").removed == []


def test_places_move_with_the_edits_before_them():
    row = trace(1)
    twice = {
        "generations": [f"<think>{row['reasoning']}</think>4 <think>Wait, what? Hmm, no. It is 4, really.</think>4"]
    }
    result = guardian(k=1).guard(twice, "1")
    (text,) = (change.new for change in result.changes)
    for edited, places in zip(result.edited, guarded_places(result.edited), strict=True):
        assert [text[start:end] for _, start, end in places] == [edited.guarded] * len(places)


def test_copies_are_places_too():
    row = chat(1)
    row["text"] = row["messages"][1]["content"]
    result = guardian(k=1).guard(row, "1")
    (places,) = guarded_places(result.edited)
    assert len(places) == 2
    assert len(result.changes) == 2


@pytest.mark.parametrize(
    ("method", "options", "count"),
    [("traceguard", {"k": 1}, 1), ("traceguard", {"k": 2}, 2), ("traceguard", {"k": 9}, 4), ("marker-words", {}, 0)],
)
def test_removed_sentences_are_counted(method, options, count):
    (edited,) = guardian(method, **options).guard(trace(1), "1").edited
    assert edited.edits
    assert removed_sentences(edited) == count
