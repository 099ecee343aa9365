"""Paired metrics: their limits, their direction, and what they are made of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.measure import paired
from antidistill.measure.paired import Unmeasured, difference
from antidistill.measure.pairing import Pairs
from antidistill.trace import Trace

texts = st.lists(st.text(alphabet="abc .,é你1", max_size=30), min_size=1, max_size=6)


def pairs_of(clean, guarded):
    def side(texts):
        return tuple(Trace(str(row), f"p{row}", text, "a") for row, text in enumerate(texts))

    return Pairs(side(clean), side(guarded))


@given(texts, st.randoms())
@settings(max_examples=40, deadline=None)
def test_tfidf_is_a_distance_between_zero_and_one(clean, random):
    guarded = [text[: random.randint(0, len(text))] for text in clean]
    there, back = paired.tfidf(pairs_of(clean, guarded)), paired.tfidf(pairs_of(guarded, clean))
    assert 0 <= there.estimate.low <= there.estimate.value <= there.estimate.high <= 1
    assert there.estimate.value == pytest.approx(back.estimate.value)
    assert paired.tfidf(pairs_of(clean, clean)).estimate.value == 0


def test_tfidf_of_texts_without_a_common_word_is_one():
    assert paired.tfidf(pairs_of(["red cat", "ox"], ["blue dog", "cow"])).estimate.value == 1


def test_tfidf_is_one_minus_the_cosine():
    found = paired.tfidf(pairs_of(["a b"], ["a c"])).estimate
    # Terms a, b, "a b" against a, c, "a c": a is in both of 2 texts, the others in one each.
    rare = np.log(3 / 2) + 1
    assert found.value == pytest.approx(1 - 1 / (1 + 2 * rare**2))
    assert found.n == 1


def test_tokens_are_negative_where_text_was_removed():
    metric = paired.tokens(pairs_of(["One, two.", "three four"], ["One.", "three four"]))
    assert (metric.estimate.value, metric.parts["clean"].value, metric.parts["guarded"].value) == (-1, 3, 2)
    assert metric.estimate.unit == "tokens (words and marks)"


def test_pairs_without_both_values_are_left_out():
    pairs = pairs_of(["a", "b", "c"], ["a", "b", "c"])
    metric = difference("x", pairs, np.array([1.0, np.nan, 3.0]), np.array([2.0, 5.0, 5.0]), "", deviations=True)
    assert (metric.estimate.value, metric.estimate.n) == (1.5, 2)
    assert (metric.parts["clean_sd"].value, metric.parts["guarded_sd"].value) == (1.0, 1.5)
    with pytest.raises(Unmeasured, match="no pair"):
        difference("x", pairs, np.full(3, np.nan), np.zeros(3), "")


def test_json_is_an_estimate_with_its_parts():
    found = paired.tokens(pairs_of(["a b"], ["a"])).to_json()
    assert {"value", "low", "high", "n", "unit", "clean", "guarded"} == set(found)
    assert found["clean"] == {"value": 2.0, "low": 2.0, "high": 2.0, "n": 1}
