"""Attention in blocks against eager attention, on tiny random models of several families."""

import numpy as np
import pytest
from tests.anchors.tiny import FAMILIES, eager_attention, sentence_means, sentences_of, tiny, vertical

from antidistill.anchors.receiver_heads.options import Options
from antidistill.errors import InputError, RowError
from antidistill.measure.models import missing

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(bool(missing("", "")), reason="needs torch and transformers (make models)"),
]
PLAIN = Options(depth="none")


@pytest.fixture(scope="module")
def reference():
    """Model, tokens and sentence means of a family, made once."""
    known = {}

    def of(family):
        if family not in known:
            model, tokens = tiny(family), sentences_of()
            known[family] = model, tokens, sentence_means(eager_attention(model, tokens), tokens)
        return known[family]

    return of


def read_profile(*args, **options):
    from antidistill.anchors.receiver_heads.profile import profile

    return profile(*args, **options)


@pytest.mark.parametrize("chunk", [None, 50, 17])
@pytest.mark.parametrize("family", FAMILIES)
def test_profiles_are_those_of_eager_attention(family, chunk, reference):
    model, tokens, means = reference(family)
    found = read_profile(model, tokens, PLAIN, chunk=chunk, matrix=True)
    expected = vertical(means, PLAIN.gap)
    assert np.array_equal(np.isnan(found.values), np.isnan(expected))
    assert np.nanmax(abs(found.values - expected)) < 1e-6
    assert found.values[:, 0] == pytest.approx(expected[:, 0], rel=2e-4)
    assert abs(found.matrix - np.tril(means)).max() < 2e-6
    assert found.heads == tuple((layer, head) for layer in range(3) for head in range(8))
    assert model.config._attn_implementation == "eager"


@pytest.mark.parametrize("family", ["llama", "gemma3", "gpt-oss"])
def test_known_heads_give_the_same_and_the_model_stops_behind_them(family, reference):
    model, tokens, means = reference(family)
    seen = []
    handle = model.model.layers[2].register_forward_pre_hook(lambda *_: seen.append(1))
    chosen = [(0, 7), (1, 0), (1, 3), (1, 4)]
    found = read_profile(model, tokens, PLAIN, heads=chosen)
    handle.remove()
    assert found.heads == tuple(chosen)
    assert np.nanmax(abs(found.values - vertical(means, 4)[[7, 8, 11, 12]])) < 1e-6
    assert seen == []


def test_scores_far_beyond_the_range_of_an_exponential_are_done_again_with_the_maximum():
    model, tokens = tiny("llama", spread=1.5), sentences_of(12)
    expected = vertical(sentence_means(eager_attention(model, tokens), tokens), 4)
    found = read_profile(model, tokens, PLAIN).values
    assert (
        np.nanmax(abs(found - expected)) < 1e-4
    )  # one-hot attention: rounding of the scores decides between near ties
    assert np.nanmax(expected) > 0.02


def test_a_model_off_the_interface_is_watched_through_the_kernel(reference, monkeypatch):
    model, tokens, means = reference("qwen2")
    monkeypatch.setattr(type(model), "_can_set_attn_implementation", classmethod(lambda cls: False))
    model.config._attn_implementation_internal = "sdpa"
    try:
        found = read_profile(model, tokens, PLAIN)
        chosen = read_profile(model, tokens, PLAIN, heads=[(1, 2)])
    finally:
        model.config._attn_implementation_internal = "eager"
    assert np.nanmax(abs(found.values - vertical(means, 4))) < 1e-6
    assert np.nanmax(abs(chosen.values - vertical(means, 4)[10:11])) < 1e-6


def test_a_model_with_attention_of_its_own_is_watched_through_its_projections(reference, monkeypatch):
    for family in ("llama", "qwen3"):
        model, tokens, means = reference(family)
        monkeypatch.setattr(type(model), "_can_set_attn_implementation", classmethod(lambda cls: False))
        found = read_profile(model, tokens, PLAIN)  # eager: neither the interface nor the kernel is called
        assert np.nanmax(abs(found.values - vertical(means, 4))) < 1e-6


def test_models_without_attention_are_refused_by_name():
    import torch
    import transformers as hf

    torch.manual_seed(0)
    mamba = hf.MambaForCausalLM(
        hf.MambaConfig(vocab_size=101, hidden_size=16, num_hidden_layers=1, state_size=4)
    ).eval()
    with pytest.raises(
        InputError, match="no attention of MambaForCausalLM can be watched.*give a model with attention"
    ):
        read_profile(mamba, sentences_of(12), PLAIN)
    sizes = {
        "vocab_size": 101,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    both_ways = hf.BertLMHeadModel(hf.BertConfig(**sizes, is_decoder=False)).eval()
    with pytest.raises(InputError, match="in both directions"):
        read_profile(both_ways, sentences_of(12), PLAIN)


def test_attention_that_is_no_number_is_a_reason_with_layer_and_head():
    import torch

    model = tiny("llama")
    with torch.no_grad():
        model.model.layers[1].self_attn.k_proj.weight[:] = float("nan")
    with pytest.raises(RowError, match="layer 1, head 0 is not a number"):
        read_profile(model, sentences_of(), PLAIN)


def test_fewer_sentences_than_the_gap_is_a_reason():
    with pytest.raises(RowError, match="3 sentences with tokens and the gap is 4.*a gap below 3"):
        read_profile(tiny("llama"), sentences_of(3), PLAIN)
