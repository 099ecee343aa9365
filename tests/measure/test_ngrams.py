"""Counts of n-grams without a vocabulary."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.measure.ngrams import character_counts, seam_counts, word_counts

texts = st.lists(st.text(max_size=60), min_size=1, max_size=5)


@pytest.mark.parametrize("count", [word_counts, character_counts, seam_counts])
@given(texts=texts)
@settings(max_examples=40, deadline=None)
def test_a_row_depends_on_its_text_alone(count, texts):
    together = count(texts)
    assert together.shape[0] == len(texts)
    for row, text in enumerate(texts):
        assert (together[row] != count([text])).nnz == 0


@given(texts)
@settings(max_examples=40, deadline=None)
def test_every_character_gram_is_counted(texts):
    lengths = np.array([len(text.lower()) for text in texts])
    expected = np.maximum(lengths - 2, 0) + np.maximum(lengths - 3, 0)
    assert np.array_equal(np.asarray(character_counts(texts).sum(axis=1)).ravel(), expected)


def test_a_cut_makes_new_neighbours_that_a_bag_of_words_does_not_see():
    whole, moved = "So it is 3. But why? Then add 4.", "But why? So it is 3. Then add 4."
    assert (word_counts([whole])[0] != word_counts([moved])[0]).nnz <= 6
    assert (seam_counts([whole])[0] != seam_counts([moved])[0]).nnz > 6
