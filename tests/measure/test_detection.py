"""`detect` on real traces: known values, the control, and what is said where there is no number."""

import json
import math

import pytest
from tests.measure.samples import guarded_by, model_traces

from antidistill import registry
from antidistill.errors import BadOption, UnknownName
from antidistill.measure import Detection, detect
from antidistill.measure.models import missing
from antidistill.measure.options import Instruments
from antidistill.trace import Trace

QWQ = "Qwen/QwQ-32B"
SHORT = "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"
WITHOUT_MODELS = [name for name in registry.names("detectors") if not registry.load("detectors", name).needs]


@pytest.fixture(scope="module")
def qwq(shared):
    return model_traces(shared, QWQ)


@pytest.fixture(scope="module")
def control(shared):
    """Clean against clean: every difference that a detector learns is one of prompts."""
    traces = model_traces(shared, SHORT)
    return detect(traces, traces, models=False)


@pytest.mark.parametrize(("k", "markers", "words"), [(10, 0.82, 0.86), (50, 0.985, 0.99)])
def test_known_values_of_traceguard(qwq, k, markers, words):
    found = detect(qwq, guarded_by(qwq, "traceguard", k=k), models=False, detectors=["marker-rate", "tfidf"])
    auroc = {name: entry.auroc.value for name, entry in found.unpaired.visible.items()}
    assert auroc["marker-rate"] == pytest.approx(markers, abs=0.03)
    assert auroc["tfidf"] == pytest.approx(words, abs=0.03)


def test_the_strongest_detector_finds_traceguard(qwq):
    some = qwq[:300]
    found = detect(some, guarded_by(some, "traceguard", k=20), models=False, repeats=1)
    best = found.unpaired.visible[found.best]
    assert best.auroc.value > 0.99
    assert found.unpaired.chosen.value > 0.99
    assert best.tpr.value > 0.9
    assert found.traces_to_detect.value <= 3


@pytest.mark.parametrize("name", WITHOUT_MODELS)
def test_clean_against_clean_covers_guessing(control, name):
    auroc = control.unpaired.visible[name].auroc
    assert auroc.low <= 0.5 <= auroc.high
    assert auroc.n == 582


def test_clean_against_clean_needs_no_finite_pile_and_has_no_distance(control):
    assert control.traces_to_detect.high == math.inf
    assert control.unpaired.chosen.low <= 0.5 <= control.unpaired.chosen.high
    assert [metric.estimate.value for metric in control.paired.values() if metric] == [0, 0]


def test_the_result_has_the_documented_shape_and_is_json(control):
    found = json.loads(json.dumps(control.to_json(), allow_nan=False))
    assert list(found["paired"]) == ["perplexity", "tfidf", "semantic", "tokens"]
    assert {"value", "low", "high", "n"} <= set(found["paired"]["tfidf"])
    best = found["unpaired"].pop("best")
    assert best in found["unpaired"]
    for entry in found["unpaired"].values():
        assert set(entry) == {"auroc", "tpr_at_1pct"}
        assert all(set(estimate) == {"value", "low", "high", "n"} for estimate in entry.values())
    assert found["traces_to_detect"]["high"] is None
    assert found["missing"]["perplexity"] == "the models were left out (--no-models)"
    assert (found["n"], found["left_out"]) == (582, 0)


def test_the_same_call_gives_the_same_numbers(shared):
    traces = model_traces(shared, SHORT, 60)
    guarded = guarded_by(traces, "steps", share=0.3)
    first, second = (detect(traces, guarded, models=False, repeats=1) for _ in range(2))
    assert first == second


def few(rows):
    return [Trace(str(row), f"What is {row} + 1?", f"Wait, it is {row + 1}.", str(row + 1)) for row in range(rows)]


def test_too_few_prompts_are_said_and_not_guessed_from():
    found = detect(few(7), few(7), models=False)
    assert isinstance(found, Detection)
    assert found.best is found.traces_to_detect is None
    assert found.missing["length"] == "needs 20 different prompts, there are 7"
    assert found.to_json()["unpaired"] == {"best": None}


def test_options_out_of_range_are_refused():
    with pytest.raises(UnknownName, match="'lenght'.*did you mean 'length'"):
        detect(few(3), few(3), detectors=["lenght"])
    with pytest.raises(BadOption, match="folds=1.*at least 2"):
        detect(few(3), few(3), folds=1)


@pytest.mark.models
@pytest.mark.skipif(bool(missing()), reason="needs the small models (make models)")
def test_with_models_every_metric_and_detector_has_a_number():
    clean = few(30)
    guarded = [Trace(t.id, t.prompt, t.reasoning.replace("Wait, it", "It"), t.answer) for t in clean]
    found = detect(clean, guarded, models=True, repeats=1, folds=3)
    assert found.missing == {}
    assert set(found.unpaired.visible) == set(registry.names("detectors"))
    assert {name: metric.estimate.n for name, metric in found.paired.items()} == dict.fromkeys(found.paired, 30)
    assert found.paired["tokens"].estimate.unit == "tokens (smollm2-135m)"
    assert found.paired["perplexity"].parts["clean_sd"].value > 0


@pytest.mark.models
@pytest.mark.skipif(bool(missing()), reason="needs the small models (make models)")
def test_models_read_a_part_and_say_so():
    found = detect(
        few(40), few(40), models=True, model_pairs=24, repeats=1, folds=3, detectors=["length", "perplexity"]
    )
    assert found.paired["perplexity"].estimate.n == found.unpaired.visible["perplexity"].auroc.n == 24
    assert found.paired["tfidf"].estimate.n == found.unpaired.visible["length"].auroc.n == 40


def test_models_at_hand_take_the_place_of_those_that_are_named():
    traces = [Trace(str(number), f"p{number}", f"Say {number}. Then 2.", "x") for number in range(4)]
    found = detect(traces, traces, language_model="no such model", instruments=Instruments(reason="none at hand"))
    assert found.missing["perplexity"] == found.missing["semantic"] == "none at hand"
