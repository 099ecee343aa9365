"""Embeddings of texts of any length."""

import numpy as np
import pytest

from antidistill.measure.models import SMALL_ENCODER, load_encoder, missing

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(bool(missing("", SMALL_ENCODER)), reason="needs the small models (make models)"),
]
SHORT = ["The train needs ninety minutes.", "", "Wait, that is not right."]
LONG = "Ninety minutes is an hour and a half. " * 120 + "The cat sleeps on the warm roof."


@pytest.fixture(scope="module")
def small():
    return load_encoder()


def test_short_texts_have_the_vectors_of_the_library(small):
    assert small.embed(SHORT) == pytest.approx(small.model.encode(SHORT), abs=1e-5)


def test_no_token_is_cut_off(small):
    tokenizer = small.model.tokenizer
    chunks = small.chunks(LONG)
    inner = [token for chunk in chunks for token in chunk[1:-1]]
    assert len(chunks) > 3
    assert max(map(len, chunks)) <= small.model.max_seq_length
    assert inner == tokenizer(LONG, add_special_tokens=False, verbose=False)["input_ids"]


def test_long_texts_are_unit_vectors_that_see_their_end(small):
    whole, without_end, other = small.embed([LONG, LONG[:-33], "A cat sleeps."])
    assert np.linalg.norm(whole) == pytest.approx(1)
    assert whole @ other > without_end @ other
