"""Features: defined for every text, the same for every company, and moved by what they are named after."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.measure.features import GROUPS, describe, table
from antidistill.trace import Trace

TEXT = (
    "Okay, 3 boxes hold 4 pens each. So 3 * 4 = 12 pens.\n\nWait, is that right? Yes, 12 pens.\n\n"
    "Alternatively, add them: 4 + 4 + 4 = 12.\n\nSo the answer is 12."
)
PROMPT = "How many pens do 3 boxes of 4 pens hold?"


def trace(text, prompt=PROMPT, answer="The answer is 12."):
    return Trace("1", prompt, text, answer)


@given(st.text(max_size=200), st.text(max_size=40), st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_every_text_has_all_features_and_they_are_finite(text, prompt, answer):
    values = describe(trace(text, prompt, answer))
    assert list(values) == list(describe(trace(TEXT)))
    assert np.isfinite(list(values.values())).all()


def test_there_are_many_features_in_named_groups():
    names, values = table([trace(TEXT), trace("")])
    assert values.shape == (2, len(names))
    assert len(names) > 300
    assert {name.split(".")[0] for name in names} == set(GROUPS)


def test_a_row_depends_on_its_trace_alone():
    alone = table([trace(TEXT)])[1][0]
    assert np.array_equal(table([trace("Hmm."), trace(TEXT), trace("")])[1][1], alone)


def test_no_traces_make_an_empty_table():
    names, values = table([])
    assert (names, values.shape) == ([], (0, 0))


@pytest.mark.parametrize(
    ("feature", "before", "after"),
    [
        ("marker-rate.rate", 2 / 6, 0.0),
        ("marker-gaps.first_place", TEXT.index("Wait") / len(TEXT), 1.0),
        ("numbers.strange", 0.0, None),
        ("openers.paragraph_alternatively", 0.25, 0.0),
        ("shape.paragraph_mean", 6 / 4, None),
    ],
)
def test_features_see_what_they_are_named_after(feature, before, after):
    without = TEXT.replace("Wait, is that right? ", "").replace("Alternatively, add them", "Add them")
    assert describe(trace(TEXT))[feature] == pytest.approx(before)
    if after is not None:
        assert describe(trace(without))[feature] == pytest.approx(after)


def test_a_number_that_nothing_introduced_is_strange():
    assert describe(trace("Then 7 of the 12 pens are red."))["numbers.strange"] == 1
    assert describe(trace("There are 3 * 4 = 12 pens. Then 12 - 3 pens."))["numbers.strange"] == 0
