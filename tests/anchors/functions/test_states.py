"""The tagger of hidden states: fitting and files without a model, and what SmolLM2 gives it."""

import numpy as np
import pytest
from tests.anchors.functions.test_taggers import examples

from antidistill import split
from antidistill.anchors.functions import FUNCTIONS, make
from antidistill.anchors.functions.hidden import WIDTH
from antidistill.anchors.functions.state_training import STRENGTHS, choose_states, fit_states
from antidistill.anchors.functions.states import load, save
from antidistill.anchors.functions.training import fit
from antidistill.errors import InputError
from antidistill.measure.models import SMALL_LANGUAGE_MODEL, missing

needs_model = pytest.mark.skipif(bool(missing(SMALL_LANGUAGE_MODEL, "")), reason="needs the small models (make models)")
TEXT = "I need a plan first. Then 12 * 4 = 48. Wait, maybe I made a mistake there. So the final answer is \\boxed{48}."


def states_of(example, seed=0):
    """Noise, and 50 columns for each function."""
    names = list(FUNCTIONS)
    found = np.random.default_rng(seed).normal(size=(len(example.sentences), 2 * WIDTH))
    for row, function in zip(found, example.functions, strict=True):
        row[50 * names.index(function) :][:50] += 20
    return found


@pytest.fixture(scope="module")
def fitted():
    known = examples(3)
    return fit_states(known, [states_of(each, n) for n, each in enumerate(known)], fit(known), 1.0)


def test_states_that_tell_the_function_are_found_on_others(fitted):
    new = examples(1)[0]
    found = fitted.probabilities(["It is. "] * len(new.sentences), "", states_of(new, 9))
    assert found.sum(axis=1) == pytest.approx(1)
    assert [list(FUNCTIONS)[best] for best in found.argmax(axis=1)] == list(new.functions)


def test_the_file_gives_the_model_back(fitted, tmp_path):
    save(tmp_path / "states.npz", fitted)
    one, again = examples(1)[0], load(tmp_path / "states.npz", fitted.text)
    hidden = states_of(one)
    before, after = (model.probabilities(one.sentences, one.prompt, hidden) for model in (fitted, again))
    assert np.abs(before - after).max() < 0.01
    assert (tmp_path / "states.npz").stat().st_size < 100_000


def test_no_sentence_is_no_row(fitted):
    assert fitted.probabilities([], "", np.zeros((0, 2 * WIDTH))).shape == (0, len(FUNCTIONS))


def test_the_penalty_is_chosen_among_the_given_problems():
    known = examples(2)
    assert choose_states(known, [states_of(each) for each in known], 0.3) in STRENGTHS
    assert choose_states(known[:1], [states_of(known[0])], 0.3) == STRENGTHS[1]


def test_a_file_that_is_no_tagger_is_named(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"rubbish")
    with pytest.raises(InputError, match="holds no tagger of states"):
        make("states", model=str(tmp_path / "x.npz"))


@pytest.mark.models
@needs_model
def test_the_shipped_tagger_reads_along():
    tagger = make("states")
    tags = tagger.tag(split(TEXT), "How many?")
    assert tags[1:] == ["active_computation", "uncertainty_management", "final_answer_emission"]
    assert tagger.tag([]) == []
    assert tagger.tag([" \n"])[0] in FUNCTIONS
    assert len(tagger.problems) == 5


@pytest.mark.models
@needs_model
def test_a_text_beyond_the_window_is_read_in_windows_that_overlap(monkeypatch):
    from antidistill.anchors.functions import hidden

    sentences = split(TEXT + " " + TEXT)
    whole = hidden.states(sentences, "How many?")
    monkeypatch.setattr(hidden, "_WINDOW", 48)
    windows = hidden.states(sentences, "How many?")
    assert whole.shape == windows.shape == (len(sentences), 2 * WIDTH)
    assert np.allclose(whole[:2], windows[:2], atol=1e-3)
    similar = (whole * windows).sum(1) / np.linalg.norm(whole, axis=1) / np.linalg.norm(windows, axis=1)
    assert similar.min() > 0.8
