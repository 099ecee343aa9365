"""The suppression matrix against a whole eager pass with the sentence masked by hand, on tiny random models."""

import json

import numpy as np
import pytest
from tests.anchors.tiny import FAMILIES, WINDOW, sentences_of, tiny

from antidistill.errors import InputError, RowError, UsageError
from antidistill.measure.models import missing

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(bool(missing("", "")), reason="needs torch and transformers (make models)"),
]
WINDOWED = {"gemma2", "gemma3", "gpt-oss"}


def matrix(*arguments, **options):
    from antidistill.anchors.suppression import suppression_matrix

    return suppression_matrix(*arguments, **options)


def masked_log_probabilities(model, family, tokens, hidden, temperature):
    """Log probabilities at every token by one eager pass in double precision; `hidden` (start, end) is masked for all."""
    import torch

    count = len(tokens.ids)
    places = torch.arange(count)
    seen = places[:, None] >= places[None, :]
    if hidden is not None:
        seen = seen & ~((places >= hidden[0]) & (places < hidden[1]))[None, :]
    lowest = torch.finfo(torch.float32).min

    def additive(allowed):
        return torch.where(allowed, 0.0, lowest).double()[None, None]

    near = places[:, None] - places[None, :] < WINDOW
    masks = {"full_attention": additive(seen), "sliding_attention": additive(seen & near)}
    mask = masks if family in {*WINDOWED, "qwen2", "qwen3"} else masks["full_attention"]
    with torch.inference_mode():
        logits = model(torch.from_numpy(tokens.ids)[None], attention_mask=mask, use_cache=False).logits[0]
    return torch.log_softmax(logits.double() / temperature, -1).numpy()


def naive(model, family, tokens, temperature):
    """Mean KL of every later sentence for every hidden one, by plain loops."""
    spans = list(zip(tokens.starts, tokens.ends, strict=True))
    base = masked_log_probabilities(model, family, tokens, None, temperature)
    raw = np.full((len(spans), len(spans)), np.nan)
    log = raw.copy()
    for column, hidden in enumerate(spans):
        changed = masked_log_probabilities(model, family, tokens, hidden, temperature)
        kl = (np.exp(base) * (base - changed)).sum(-1)
        for row, (start, end) in enumerate(spans):
            if row > column:
                raw[row, column] = kl[start:end].mean()
                log[row, column] = np.log(np.maximum(kl[start:end], 0) + 1e-9).mean()
    return raw, log


@pytest.mark.parametrize("family", FAMILIES)
def test_every_entry_is_that_of_a_whole_pass_with_a_mask(family):
    model, tokens = tiny(family), sentences_of(14, after=3)
    found = matrix(model, tokens, temperature=0.6, chunk=23)
    assert model.config._attn_implementation == "eager"
    single = family == "gpt-oss"  # its experts multiply in single precision only
    raw, log = naive(model if single else model.double(), family, tokens, 0.6)
    below = np.tril(np.ones_like(raw, dtype=bool), -1)
    assert found.raw[below] == pytest.approx(raw[below], rel=2e-3, abs=1e-6 if single else 1e-8)
    plain = below & (raw > (1e-4 if single else 0))
    assert found.log[plain] == pytest.approx(log[plain], abs=0.05)
    assert raw[below].mean() > 1e-4, "the reference measures something"
    if family in WINDOWED:  # a gap that the windows did not know of would move them, by the length of the sentence
        assert tokens.ends[-1] > 2 * WINDOW


def test_earlier_sentences_are_exactly_zero_and_the_diagonal_is_not_measured():
    found = matrix(tiny("qwen3"), sentences_of(9))
    above = np.triu(np.ones((9, 9), dtype=bool), 1)
    assert (found.raw[above] == 0).all()
    assert np.isnan(np.diag(found.raw)).all()
    assert np.isnan(found.log[above]).all()
    assert (found.raw[np.tril(~above, -1)] >= 0).all()


def test_the_same_again_and_whatever_the_chunk():
    model, tokens = tiny("gemma3"), sentences_of(10)
    first, again, other = (matrix(model, tokens, chunk=chunk) for chunk in (16, 16, 999))
    assert np.array_equal(first.raw, again.raw, equal_nan=True)
    assert np.allclose(first.raw, other.raw, rtol=1e-3, atol=1e-8, equal_nan=True)


def test_a_stopped_run_goes_on_and_gives_the_same(tmp_path):
    model, tokens, store, steps = tiny("llama"), sentences_of(8), tmp_path / "columns.jsonl", []
    whole = matrix(model, tokens)

    def stop(step):
        steps.append(step)
        if len(steps) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        matrix(model, tokens, store=store, progress=stop)
    store.write_bytes(store.read_bytes() + b'{"sentence": 3, "raw": [0.1')  # killed in the middle of a line
    resumed = matrix(model, tokens, store=store, progress=steps.append)
    assert steps[3:] == [f"suppression: sentence {number} of 7" for number in (4, 4, 5, 6, 7)]
    assert np.array_equal(resumed.raw, whole.raw, equal_nan=True)
    assert np.array_equal(resumed.log, whole.log, equal_nan=True)
    assert [json.loads(line)["sentence"] for line in store.read_text().splitlines()[1:]] == list(range(7))
    assert np.array_equal(matrix(None, tokens, store=store).raw, whole.raw, equal_nan=True)  # nothing is read again


def test_a_store_of_another_setting_is_refused(tmp_path):
    model, tokens, store = tiny("llama"), sentences_of(4), tmp_path / "columns.jsonl"
    matrix(model, tokens, store=store)
    with pytest.raises(UsageError, match="made with another temperature.*name another file"):
        matrix(model, tokens, store=store, temperature=1.0)
    with pytest.raises(UsageError, match="made with another trace"):
        matrix(model, sentences_of(5), store=store)
    store.write_text("something else\n")
    with pytest.raises(UsageError, match="no journal"):
        matrix(model, tokens, store=store)


def test_sentences_without_tokens_keep_their_place():
    tokens = sentences_of(6)
    ends = np.insert(tokens.ends, 3, tokens.starts[3])
    starts = np.insert(tokens.starts, 3, tokens.starts[3])
    model = tiny("llama")
    found = matrix(model, type(tokens)(tokens.ids, starts, ends))
    kept = [0, 1, 2, 4, 5, 6]
    assert np.isnan(found.raw[3]).all()
    assert np.isnan(found.raw[:, 3]).all()
    assert np.array_equal(found.raw[np.ix_(kept, kept)], matrix(model, tokens).raw, equal_nan=True)


def test_influence_is_free_of_what_moves_a_row_as_a_whole():
    from antidistill.anchors.suppression import Matrix

    log = np.full((5, 5), np.nan)
    rows, columns = np.tril_indices(5, -1)
    log[rows, columns] = (
        -5.0 + 2.0 * rows + (columns == 1)
    )  # late rows are moved more, by anything; sentence 1 by itself
    found = Matrix(np.exp(log), log)
    assert np.argmax(found.influence()[:4]) == 1
    assert np.isnan(found.influence()[4])
    assert np.isnan(found.influence(gap=3)).tolist() == [False, False, True, True, True]
    assert np.nansum(found.centred, axis=1) == pytest.approx(np.zeros(5), abs=1e-12)


def test_models_that_cannot_leave_a_sentence_out_are_refused_by_name(monkeypatch):
    import transformers as hf

    sizes = {"vocab_size": 101, "hidden_size": 16, "num_hidden_layers": 1}
    mamba = hf.MambaForCausalLM(hf.MambaConfig(**sizes, state_size=4)).eval()
    with pytest.raises(InputError, match="no attention of MambaForCausalLM"):
        matrix(mamba, sentences_of(5))
    windowed = tiny("gemma3")
    monkeypatch.setattr(type(windowed), "_can_set_attn_implementation", classmethod(lambda cls: False))
    with pytest.raises(InputError, match="Gemma3ForCausalLM looks through a window"):
        matrix(windowed, sentences_of(5))


def test_a_model_off_the_interface_gives_the_same(monkeypatch):
    tokens = sentences_of(6)
    expected = matrix(tiny("llama"), tokens)
    model = tiny("llama")
    monkeypatch.setattr(type(model), "_can_set_attn_implementation", classmethod(lambda cls: False))
    assert np.allclose(matrix(model, tokens).raw, expected.raw, rtol=1e-3, atol=1e-8, equal_nan=True)


def test_numbers_that_are_none_are_a_reason():
    import torch

    model = tiny("llama")
    with torch.no_grad():
        model.model.layers[1].self_attn.k_proj.weight[:] = float("nan")
    with pytest.raises(RowError, match="without sentence 0.*not a number"):
        matrix(model, sentences_of(5))
    with pytest.raises(RowError, match="1 sentences with tokens"):
        matrix(tiny("llama"), sentences_of(1))
