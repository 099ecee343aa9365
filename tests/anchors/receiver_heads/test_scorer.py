"""Receiver heads as a scorer, with the small language model on short traces."""

import numpy as np
import pytest

from antidistill import split
from antidistill.anchors import make, score_all
from antidistill.anchors.receiver_heads import Options, ReceiverHeads
from antidistill.anchors.tokens import map_tokens
from antidistill.errors import BadOption, InputError, RowError, UnknownName, UsageError
from antidistill.measure.models import SMALL_LANGUAGE_MODEL, load_language_model, missing
from antidistill.trace import Trace

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(bool(missing(SMALL_LANGUAGE_MODEL, "")), reason="needs the small models (make models)"),
]
QUICK = {"options": {"edges": 0, "heads": 4}}


def story(number, sentences=14):
    """A short reasoning with a prompt of its own."""
    steps = [f"Then {number + step} plus {step} is {number + 2 * step}." for step in range(sentences - 2)]
    reasoning = f"I need the sum for {number}. Wait, let me start.\n\n" + " ".join(steps)
    return Trace(str(number), f"What is {number}?", reasoning, "done")


@pytest.fixture(scope="module")
def tokenizer():
    return load_language_model().tokenizer


def test_a_token_belongs_to_the_sentence_of_its_first_letter(tokenizer):
    trace = Trace("1", "How many?", "So it is 3.14 metres. Wait, let me check.\n\nHmm... yes. 你好。 Fine.", "a")
    sentences = split(trace.reasoning)
    tokens = map_tokens(tokenizer, trace, sentences)
    words = [tokenizer.convert_ids_to_tokens([int(tokens.ids[start])])[0] for start in tokens.starts]
    assert [word.lstrip("Ġ") for word in words[:3]] == ["So", "Wait", "H"] or words[2].startswith(("H", "ĠH"))
    assert (tokens.starts[1:] == tokens.ends[:-1]).all()
    assert (tokens.sizes > 0).all()
    for sentence, start, end in zip(sentences, tokens.starts, tokens.ends, strict=True):
        assert tokenizer.decode(tokens.ids[start:end]).strip() == sentence.strip()


def test_tokens_cut_off_take_their_sentence_along(tokenizer):
    tokens = map_tokens(tokenizer, story(1), split(story(1).reasoning))
    cut = tokens.cut(int(tokens.ends[3]) + 1)
    assert cut.sizes.tolist()[:5] == [*tokens.sizes.tolist()[:4], 0]
    assert len(cut.ids) == tokens.ends[3] + 1


def test_a_tokenizer_without_offsets_is_refused(tokenizer):
    class Slow:
        is_fast = False

    with pytest.raises(InputError, match="tokenizer Slow gives no offsets.*fast tokenizer"):
        map_tokens(Slow(), story(1), split(story(1).reasoning))


def test_each_prompt_is_scored_with_heads_found_on_others_and_no_row_is_lost():
    traces = [story(number) for number in range(5)] + [
        Trace("empty", "q", " ", "a"),
        Trace("one", "r", "Only this.", "a"),
    ]
    rows = score_all(make("receiver-heads", **QUICK), traces)
    assert [len(row.values) for row in rows] == [len(split(trace.reasoning)) for trace in traces]
    for row in rows[:5]:
        assert row.reason == ""
        assert row.values[-4:] == (None,) * 4
        assert all(value > 0 for value in row.values[:-4])
        assert row.evidence["receivers"]["eligible"] == 29 * 9
        assert 0 <= row.evidence["receivers"]["above_null"] <= 1
        assert row.variant["gap"] == 4
    assert "no sentence" in rows[5].reason
    assert "1 sentences with tokens and the gap is 4" in rows[6].reason


def test_known_receivers_score_one_trace_alone_and_never_their_own(tmp_path):
    finder = ReceiverHeads(**QUICK)
    receivers = finder.identify([story(number) for number in range(4)])
    receivers.save(tmp_path / "heads.json")
    scorer = ReceiverHeads(receivers=tmp_path / "heads.json", matrix=True)
    found = scorer.score(story(9))
    assert found.evidence["profiles"].shape == (4, len(found.values))
    mean = found.evidence["profiles"].mean(0)
    assert [value for value in found.values if value is not None] == pytest.approx(mean[:-4].tolist())
    assert np.triu(found.evidence["matrix"], 1).max() == 0
    with pytest.raises(RowError, match="found on this prompt"):
        scorer.score(story(2))
    with pytest.raises(UsageError, match="need heads found on others"):
        finder.score(story(9))


def test_a_single_prompt_has_nothing_to_find_heads_on():
    (row,) = score_all(ReceiverHeads(**QUICK), [story(1)])
    assert "give traces of two prompts or more" in row.reason
    assert row.values == (None,) * len(split(story(1).reasoning))


def test_a_trace_beyond_the_context_is_a_reason_or_scored_in_part(monkeypatch):
    from antidistill.anchors import reading

    model, _ = reading.load(SMALL_LANGUAGE_MODEL)
    receivers = ReceiverHeads(**QUICK).identify([story(number) for number in range(2)])
    monkeypatch.setattr(model.config, "max_position_embeddings", 120)
    with pytest.raises(RowError, match="reads 120: set max_tokens=120"):
        ReceiverHeads(receivers=receivers).score(story(5))
    found = ReceiverHeads(receivers=receivers, max_tokens=120).score(story(5))
    assert found.values[0] is not None
    assert found.values[-5] is None


def test_depth_control_is_one_for_even_attention_and_sinks_can_go(tokenizer):
    import torch
    from tests.anchors.tiny import eager_attention, sentence_means, sentences_of, tiny, vertical

    from antidistill.anchors.receiver_heads import profile

    model, tokens = tiny("llama"), sentences_of()
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.q_proj.weight.zero_()
    even = profile(model, tokens, Options(depth="token"))
    assert even.values[:, even.counted] == pytest.approx(1.0, rel=1e-5)
    assert np.ptp(profile(model, tokens, Options(depth="none")).values[:, even.counted], axis=1).min() > 0.001
    ranked = profile(tiny("llama"), tokens, Options(depth="rank"))
    assert 0 < ranked.values[:, ranked.counted].min() <= ranked.values[:, ranked.counted].max() <= 1
    weights = eager_attention(tiny("llama"), tokens)
    weights[:, :, 0] = 0
    with np.errstate(invalid="ignore"):
        weights /= weights.sum(-1, keepdims=True)
    expected = vertical(sentence_means(weights, tokens), 4)
    found = profile(tiny("llama"), tokens, Options(depth="none", drop_sink=True)).values
    assert np.nanmax(abs(found - expected)) < 1e-6


def test_ranks_are_those_of_the_sentences_that_count_in_each_row():
    from scipy.stats import rankdata
    from tests.anchors.tiny import eager_attention, sentence_means, sentences_of, tiny

    from antidistill.anchors.receiver_heads import profile

    model, tokens, gap = tiny("qwen3"), sentences_of(20), 3
    means = sentence_means(eager_attention(model, tokens), tokens)
    ranks = np.full_like(means, np.nan)
    for row in range(gap, 20):
        ranks[:, row, : row - gap + 1] = rankdata(means[:, row, : row - gap + 1], axis=1) / (row - gap + 1)
    expected = np.array([np.nanmean(ranks[:, j + gap :, j], axis=1) for j in range(20 - gap)]).T
    found = profile(model, tokens, Options(depth="rank", gap=gap)).values[:, : 20 - gap]
    assert abs(found - expected).max() < 0.02  # a near tie may fall either way
    assert np.median(abs(found - expected)) < 1e-9


def test_options_are_checked_when_the_scorer_is_made():
    with pytest.raises(BadOption, match="holds {reasoning}"):
        make("receiver-heads", template="{prompt}")
    with pytest.raises(BadOption, match="max_tokens"):
        make("receiver-heads", max_tokens=0)
    with pytest.raises(BadOption, match="a mapping of gap, heads"):
        make("receiver-heads", options={"gaps": 3})
    with pytest.raises(UnknownName, match="option of receiver-heads"):
        make("receiver-heads", gaps=3)
