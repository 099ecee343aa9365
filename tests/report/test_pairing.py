from dataclasses import replace

import pytest

from antidistill.errors import InputError
from antidistill.report.pairing import ALL, groups, pair_up
from antidistill.trace import Trace


def trace(name, prompt="", reasoning="A. B. C.", **meta):
    return Trace(name, prompt, reasoning, "42", meta)


def test_partners_are_found_by_id_and_prompt_not_by_place():
    clean = [trace("a"), trace("b", reasoning="B."), trace("c")]
    guarded = [trace("c", reasoning="C."), trace("a", reasoning="A.")]
    pairing = pair_up(clean, guarded)
    assert [(pair.clean.id, pair.guarded.reasoning) for pair in pairing.pairs] == [("a", "A."), ("c", "C.")]
    assert (pairing.clean_alone, pairing.guarded_alone) == (1, 0)


def test_traces_with_the_same_id_and_prompt_are_paired_in_order():
    clean = [trace("", "q", "first. x."), trace("", "q", "second. x.")]
    guarded = [trace("", "q", "first."), trace("", "q", "second.")]
    assert [pair.guarded.reasoning for pair in pair_up(clean, guarded).pairs] == ["first.", "second."]


def test_a_prompt_that_differs_is_another_trace():
    pairing = pair_up([trace("1", "q"), trace("2", "r")], [trace("1", "r"), trace("2", "r")])
    assert [pair.clean.id for pair in pairing.pairs] == ["2"]
    assert (pairing.clean_alone, pairing.guarded_alone) == (1, 1)


def test_rows_named_after_their_place_find_their_partner_behind_a_rejected_row():
    clean = [replace(trace(str(place), f"q{place}"), answer=f"a{place}") for place in (1, 2, 3)]
    guarded = [replace(clean[0], id="1"), replace(clean[2], id="2", reasoning="A. B.")]
    pairing = pair_up(clean, guarded)
    assert [(pair.clean.id, pair.guarded.id, pair.guarded.answer) for pair in pairing.pairs] == [
        ("1", "1", "a1"),
        ("3", "3", "a3"),
    ]
    assert (pairing.clean_alone, pairing.guarded_alone) == (1, 0)


def test_no_common_trace_is_an_error_that_says_what_to_do():
    with pytest.raises(InputError, match="guarded first and the guarded file second"):
        pair_up([trace("a")], [trace("b")])


def test_groups_are_the_values_of_the_column():
    clean = [trace("a", model="m"), trace("b", model=7), trace("c")]
    pairs = pair_up(clean, clean, by="model").pairs
    assert list(groups(pairs)) == ["m", "7", ALL]
    assert list(groups(pair_up(clean, clean, by=None).pairs)) == [ALL]


def test_removed_share_is_by_characters():
    (pair,) = pair_up([trace("a", reasoning="x" * 10)], [trace("a", reasoning="x" * 8)]).pairs
    assert pair.removed_share == pytest.approx(0.2)
    (empty,) = pair_up([trace("a", reasoning="")], [trace("a", reasoning="")]).pairs
    assert empty.removed_share == 0
