"""Losses of held-out traces: every token once, in the part of the trace that it stands in."""

import numpy as np
import pytest
from tests.distill import small

from antidistill.distill import Layout
from antidistill.distill.losses import FRAME, PARTS, completion_losses, parts_of
from antidistill.trace import Trace

TRACE = Trace("1", "2 plus 3?", "I add 2 and 3. Wait, let me check that. It is 5. Fine.", "It is 5.")


def parts(text, trace=TRACE, layout=None):
    """The part of the first character of `text` in the completion."""
    layout = layout or Layout()
    start = layout.completion(trace).index(text)
    (found,) = parts_of(trace, layout, np.array([start]))
    return PARTS[found] if found != FRAME else "frame"


def test_every_sentence_is_in_its_part():
    expected = {"<think>": "frame", "I add": "other", "Wait": "marker", "It is 5. F": "after_marker", "Fine": "other"}
    expected |= {"</think>": "answer", "It is 5.": "after_marker"}
    assert {text: parts(text) for text in expected} == expected
    (end,) = parts_of(TRACE, Layout(), np.array([len(Layout().completion(TRACE))]))
    assert PARTS[end] == "answer"


def test_two_markers_in_a_row_are_both_markers():
    trace = Trace("1", "q", "Hmm, no. Wait, yes. So 5. Then 6.", "5")
    assert [parts(text, trace) for text in ("Hmm", "Wait", "So 5", "Then")] == [
        "marker",
        "marker",
        "after_marker",
        "other",
    ]


@pytest.mark.parametrize("reasoning", ["", "Wait.", "No marker here"])
def test_short_traces_have_parts_too(reasoning):
    trace = Trace("1", "q", reasoning, "5")
    everywhere = parts_of(trace, Layout(), np.arange(len(Layout().completion(trace)) + 1))
    assert (np.diff(everywhere[everywhere != FRAME]) != 0).sum() == bool(reasoning)


@pytest.mark.models
def test_losses_are_those_of_the_model_alone_in_float32(monkeypatch):
    """Whatever a trace is batched with: nats equal those of one forward pass over it alone, token by token."""
    torch = pytest.importorskip("torch", reason="needs torch")
    pytest.importorskip("transformers", reason="needs transformers")
    monkeypatch.setattr("antidistill.distill.losses.has_bfloat16", lambda device: False)
    model, tokenizer, traces = small.model(), small.tokenizer(), [TRACE, *small.traces(6)]
    found = completion_losses(model, tokenizer, traces)
    for trace, losses in zip(traces, found, strict=True):
        example = Layout().encode(tokenizer, trace)
        ids = torch.tensor([example.ids])
        with torch.no_grad():
            scores = model(input_ids=ids).logits[0].log_softmax(-1)
        expected = -scores[torch.arange(example.prompt - 1, len(example.ids) - 1), ids[0, example.prompt :]]
        np.testing.assert_allclose(losses.nats, expected.numpy(), rtol=1e-4, atol=1e-5)
        assert len(losses.starts) == len(losses.nats)


@pytest.mark.models
def test_tokens_start_where_their_letters_do():
    pytest.importorskip("transformers", reason="needs transformers")
    tokenizer = small.tokenizer()
    (losses,) = completion_losses(small.model(), tokenizer, [TRACE])
    text = Layout().completion(TRACE)
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False).input_ids)
    for token, start in zip(tokens, losses.starts, strict=False):
        letters = token.lstrip("ĠĊ")
        if letters and letters.isascii():
            assert text[start : start + 1] == letters[0]
    assert losses.starts[-1] == len(text)
    assert (np.diff(losses.starts) >= 0).all()
