"""Sliding windows, and losses of the small language model against one long forward pass."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.measure.likelihood import STRIDE, WINDOW, LanguageModel, windows
from antidistill.measure.models import SMALL_LANGUAGE_MODEL, load_language_model, missing


@given(st.integers(0, 400), st.integers(2, 60), st.data())
def test_every_token_is_scored_exactly_once_with_enough_context(tokens, window, data):
    stride = data.draw(st.integers(1, window - 1))
    pieces = list(windows(tokens, window, stride))
    scored = [token for piece in pieces for token in range(piece.scored, piece.end)]
    assert scored == list(range(1, tokens))
    for piece in pieces:
        assert piece.start < piece.scored < piece.end <= piece.start + window
        assert piece.start == 0 or piece.scored - piece.start >= window - stride


def test_the_windows_of_the_paper():
    first, second, *_, last = windows(5000)
    assert (first.start, first.scored, first.end) == (0, 1, WINDOW)
    assert (second.start, second.scored, second.end) == (STRIDE, WINDOW, WINDOW + STRIDE)
    assert last.end == 5000


pytestmark_models = [
    pytest.mark.models,
    pytest.mark.skipif(bool(missing(SMALL_LANGUAGE_MODEL, "")), reason="needs the small models (make models)"),
]
TEXTS = ["Wait, 3 + 4 = 7.\n\nHmm, that is right. 你好", "", "x", "So the train needs 90 minutes for 60 miles. " * 6]


@pytest.fixture(scope="module")
def small():
    return load_language_model()


class TestSmallModel:
    pytestmark = pytestmark_models

    def test_losses_are_those_of_one_forward_pass(self, small):
        import torch

        for text, losses in zip(TEXTS, small.losses(TEXTS), strict=True):
            ids = [small.tokenizer.bos_token_id, *small.tokenizer(text, add_special_tokens=False).input_ids]
            with torch.inference_mode():
                chances = small.model(torch.tensor([ids])).logits[0].log_softmax(-1)
            expected = [-float(chances[place, token]) for place, token in enumerate(ids[1:])]
            assert losses.nats == pytest.approx(expected, abs=0.4)  # bfloat16 where the processor has it
            assert losses.nats.sum() == pytest.approx(sum(expected), rel=0.02, abs=1e-6)

    def test_a_long_text_is_scored_whole_with_the_context_of_its_window(self, small, monkeypatch):
        monkeypatch.setattr("antidistill.measure.likelihood.has_bfloat16", lambda device: False)  # which rounds
        text = "The tank holds 40 litres and loses 3 each hour. " * 12
        narrow = LanguageModel(small.name, small.model, small.tokenizer, window=48, stride=16)
        (windowed,), (whole,) = narrow.losses([text]), small.losses([text])
        assert len(windowed.nats) == len(whole.nats) == small.count(text) > 100
        assert windowed.nats[:47] == pytest.approx(whole.nats[:47], abs=0.01)
        assert [text[start:].lstrip()[:1] for start in whole.starts[:3]] == ["T", "t", "h"]
        (tail,) = small.losses([text[windowed.starts[-48] :]])
        assert windowed.nats[-1] == pytest.approx(tail.nats[-1], abs=0.4)  # other tokens before it

    def test_texts_are_read_once(self, small):
        steps = []
        watched = replace(small, progress=steps.append)
        again = watched.losses(["Nobody read this.", "Nobody read this."])
        assert steps == [f"{SMALL_LANGUAGE_MODEL}: 0 of {len(again[0].nats)} tokens"]
        watched.losses(["Nobody read this."])
        assert len(steps) == 1
        assert np.array_equal(again[0].nats, again[1].nats)
