"""Fitting the text score: it finds what is there, sees only ranks, and invents nothing."""

import numpy as np

from antidistill.anchors.text_score.reading import MEASURES
from antidistill.anchors.text_score.scorer import TextScore
from antidistill.anchors.text_score.training import Scored, choose, fit, ranks, residual

KINDS = ("The formula tells how. ", "It is like this here. ", "They went on there. ")


def example(seed: int, matters: str, size: int = 60) -> Scored:
    generator = np.random.default_rng(seed)
    kinds = generator.integers(0, 3, size)
    noise = generator.normal(size=size)
    importance = [float(KINDS[kind] == matters) * 3 + noise[place] - place / 20 for place, kind in enumerate(kinds)]
    return Scored([f"{KINDS[kind]}" for kind in kinds], importance, f"p{seed % 3}")


def test_it_finds_the_words_that_matter_and_that_early_sentences_do():
    model = fit([example(seed, KINDS[0]) for seed in range(6)], 10.0)
    assert model.stream.weights[MEASURES.index("fact")] > 0.01
    assert model.stream.position < 0
    assert model.whole.position < 0
    assert model.problems == ("p0", "p1", "p2")
    assert list(model.edges) == sorted(model.edges)


def test_importance_counts_by_its_order_alone():
    examples = [example(seed, KINDS[0]) for seed in range(3)]
    stretched = [Scored(one.sentences, [np.exp(value) for value in one.importance], one.problem) for one in examples]
    assert np.allclose(fit(examples, 10.0).stream.weights, fit(stretched, 10.0).stream.weights)


def test_the_penalty_comes_from_problems_that_were_left_out():
    assert choose([example(seed, KINDS[0]) for seed in range(6)]) in (300.0, 1000.0, 3000.0, 10000.0)
    assert choose([example(0, KINDS[0])]) == 3000.0


def test_what_a_line_leaves_has_no_slope_and_ranks_share_ties():
    places = np.arange(30) / 30
    left = residual(ranks(np.arange(30) ** 2.0), places)
    assert abs(np.polyfit(places, left, 1)[0]) < 1e-9
    assert np.allclose(ranks([3.0, 1.0, 3.0]), [2 / 3, 1 / 6, 2 / 3])


def test_what_is_not_known_is_in_the_middle_and_does_not_move_the_others():
    nan = float("nan")
    assert np.allclose(ranks([3.0, nan, 1.0, nan]), [3 / 4, 1 / 2, 1 / 4, 1 / 2])
    assert np.allclose(ranks([nan, nan]), [1 / 2, 1 / 2])


def test_the_shipped_weights_are_what_the_script_makes(shared):
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
    import labelled

    rows = [Scored(row.sentences, row.importance, row.problem) for row in labelled.read()]
    made = fit(rows, choose(rows))
    shipped = TextScore().loaded
    assert made.problems == shipped.problems
    assert np.allclose(made.stream.weights, shipped.stream.weights, atol=1e-6)
    assert np.allclose(made.whole.next_weights, shipped.whole.next_weights, atol=1e-6)
