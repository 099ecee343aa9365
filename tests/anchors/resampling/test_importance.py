"""Importances out of rollouts, against their definitions written out."""

import numpy as np
import pytest

from antidistill.anchors.resampling.distributions import counted, divergence
from antidistill.anchors.resampling.importance import MEASURES, importance, similarities
from antidistill.anchors.resampling.rollouts import Rollout, Rollouts


def place(seed, size=20, right=0.5):
    generator = np.random.default_rng(seed)
    answers = generator.choice(["1", "2", "3"], size=size, p=[right, (1 - right) / 2, (1 - right) / 2])
    return tuple(
        Rollout(f"sentence {number % 3}", answer, bool(answer == "1")) for number, answer in enumerate(answers)
    )


def kl(first, second):
    return float(divergence(*counted([each.answer for each in first], [each.answer for each in second])))


def accuracy(rollouts):
    return np.mean([each.correct for each in rollouts])


@pytest.fixture
def rollouts():
    before = tuple(place(seed, right=0.2 + 0.2 * seed) for seed in range(4))
    forced = tuple(place(seed + 9, right=0.3 + 0.1 * seed) for seed in range(4))
    return Rollouts(("a. ", "b. ", "c."), before, forced)


def test_every_measure_is_its_definition(rollouts):
    cosines = [np.where(np.arange(20) % 3 == 0, 0.9, 0.1)] * 3  # those with number 0 mean the same
    found = importance(rollouts, cosines, threshold=0.5)
    for number in range(3):
        without, kept = rollouts.before[number], rollouts.before[number + 1]
        changed = [each for each in without if each.sentence != "sentence 0"]
        similar = [each for each in without if each.sentence == "sentence 0"]
        expected = {
            "resampling-accuracy": accuracy(kept) - accuracy(without),
            "resampling-kl": kl(without, kept),
            "counterfactual-accuracy": accuracy(kept) - accuracy(changed),
            "counterfactual-kl": kl(changed, [*kept, *similar]),
            "forced-accuracy": accuracy(rollouts.forced[number + 1]) - accuracy(rollouts.forced[number]),
            "forced-kl": kl(rollouts.forced[number], rollouts.forced[number + 1]),
        }
        assert {measure: found.values[measure][number] for measure in MEASURES} == pytest.approx(expected)
        assert found.different[number] == pytest.approx(13 / 20)
        assert found.accuracy[number] == accuracy(without)
    for measure in MEASURES:
        assert (found.low[measure] <= found.values[measure]).all()
        assert (found.values[measure] <= found.high[measure]).all()
        assert found.reasons[measure] == {}
    assert found.sizes.tolist() == [[20] * 3] * 2


def test_the_threshold_is_the_median_over_the_trace(rollouts):
    cosines = [np.linspace(0, 1, 20), np.linspace(0.2, 1, 20), np.linspace(0.4, 1, 20)]
    median = np.median(np.concatenate(cosines))
    found = importance(rollouts, cosines)
    assert found.different == pytest.approx([(each < median).mean() for each in cosines])
    assert found.different.mean() == pytest.approx(0.5, abs=0.02)


def test_nothing_written_means_something_else(rollouts):
    found = importance(rollouts, [np.full(20, np.nan)] * 3)
    assert (found.different == 1).all()
    assert found.values["counterfactual-kl"] == pytest.approx(found.values["resampling-kl"])


def test_a_value_that_is_not_there_has_a_reason(rollouts):
    all_alike = importance(rollouts, [np.ones(20)] * 3, threshold=0.5)
    assert np.isnan(all_alike.values["counterfactual-kl"]).all()
    assert "means something else" in all_alike.reasons["counterfactual-kl"][0]
    published = Rollouts(rollouts.sentences, (*rollouts.before[:2], ()))
    found = importance(published)
    assert np.isfinite(found.values["resampling-kl"]).tolist() == [True, False, False]
    assert "no rollouts with and without" in found.reasons["resampling-kl"][2]
    assert "not compared" in found.reasons["counterfactual-kl"][0]
    assert "no rollouts" in found.reasons["forced-kl"][0]
    unknown = [tuple(Rollout(each.sentence, each.answer) for each in own) for own in rollouts.before]
    found = importance(Rollouts(rollouts.sentences, tuple(unknown)))
    assert np.isfinite(found.values["resampling-kl"]).all()
    assert "nobody knows" in found.reasons["resampling-accuracy"][0]
    assert np.isnan(found.accuracy).all()
    assert found.to_json()["values"]["resampling-accuracy"] == [None] * 3


def test_a_sentence_that_decides_is_above_its_floor_and_one_that_does_not_is_not():
    always, never = (tuple(Rollout("x", answer, answer == "1") for _ in range(50)) for answer in ("1", "2"))
    found = importance(Rollouts(("a", "b"), (never, always, always)))
    assert found.above_floor("resampling-kl").tolist() == [True, False]
    assert found.above_floor("resampling-accuracy").tolist() == [True, False]
    assert found.values["resampling-accuracy"].tolist() == [1, 0]


def test_similarity_is_the_cosine_of_each_sentence_and_what_was_written_instead():
    known = {"red": [1.0, 0.0], "blue": [0.0, 1.0], "mix": [0.6, 0.8]}
    places = (
        (Rollout(" red ", "1"), Rollout("blue", "1"), Rollout("", "1")),
        (Rollout("mix", "1"),),
    )
    seen = []

    def embed(texts):
        seen.extend(texts)
        return np.array([known.get(text, [0.0, 0.0]) for text in texts])

    found = similarities(Rollouts(("red", "blue"), places), embed)
    assert found[0][:2].tolist() == [1, 0]
    assert np.isnan(found[0][2])
    assert found[1] == pytest.approx([0.8])
    assert len(seen) == len(set(seen))
