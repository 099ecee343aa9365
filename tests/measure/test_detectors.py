"""Detectors: nothing is turned round by held-out labels, and another one is a few lines."""

import numpy as np
import pytest
from tests.measure.samples import guarded_by, model_traces

from antidistill import registry
from antidistill.measure import intervals
from antidistill.measure.crossfit import cross_fit, splits, stacked
from antidistill.measure.detectors import NumberDetector
from antidistill.measure.evidence import Evidence

SHORT = "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"
NAMES = [name for name in registry.names("detectors") if not registry.load("detectors", name).needs]


@pytest.fixture(scope="module")
def sides(shared):
    traces = model_traces(shared, SHORT, 80)
    return Evidence(traces), Evidence(guarded_by(traces, "random-sentences", share=0.4))


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_that_learnt_the_wrong_way_round_is_wrong(sides, name):
    detector = registry.load("detectors", name)
    clean, guarded = (detector.represent(side) for side in sides)

    def auroc(clean_label):
        labels = np.repeat([clean_label, 1 - clean_label], 30)
        learner = detector.learner().fit(stacked(clean[np.arange(30)], guarded[np.arange(30, 60)]), labels)
        held_out = (learner.decision_function(side[np.arange(60, 80)]) for side in (clean, guarded))
        return intervals.placements(*held_out).mean()

    assert auroc(clean_label=1) == pytest.approx(1 - auroc(clean_label=0), abs=0.15)


@pytest.mark.parametrize("name", NAMES)
def test_fitting_twice_gives_the_same_scores(sides, name):
    detector = registry.load("detectors", name)
    rows = detector.represent(sides[0])
    labels = np.arange(60) % 2
    scores = [detector.learner().fit(rows[np.arange(60)], labels).decision_function(rows[np.arange(80)]) for _ in "ab"]
    assert np.array_equal(*scores)


def test_a_detector_of_ones_own_is_a_function(sides):
    own = NumberDetector(lambda evidence: np.array([[float(len(text))] for text in evidence.texts]))
    clean, guarded = (own.represent(side) for side in sides)
    folds = cross_fit(own.learner, clean, guarded, np.arange(80), list(splits(np.arange(80), 1, 4, 0)))
    assert intervals.auroc(folds).value > 0.6
