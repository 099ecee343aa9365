"""Fits the tagger of hidden states to reasoning whose sentences somebody labelled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from antidistill.anchors.functions.base import FUNCTIONS
from antidistill.anchors.functions.states import StateModel, columns
from antidistill.anchors.functions.trained import LinearModel
from antidistill.anchors.functions.training import Labelled, fit, numbers

Matrix = NDArray[np.float64]

STRENGTHS = (0.0005, 0.001, 0.002)
"""What `choose_states` chooses from: inverse L2 penalties of columns with unit variance."""


def fit_states(
    examples: Sequence[Labelled], hidden: Sequence[Matrix], text: LinearModel, strength: float
) -> StateModel:
    """The tagger that multinomial logistic regression finds.

    Args:
        examples: the labelled reasoning.
        hidden: `hidden.states` of each.
        text: the model of the text, fitted to the same examples.
        strength: inverse of the L2 penalty, above 0; smaller = flatter.
    """
    from sklearn.linear_model import LogisticRegression

    names = list(FUNCTIONS)
    pairs = zip(examples, hidden, strict=True)
    rows = np.concatenate([columns(example.sentences, example.prompt, each) for example, each in pairs])
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 1e-3, spread, 1.0)  # a measure that never changes says nothing
    labels = numbers(examples)
    found = LogisticRegression(C=strength, max_iter=1000).fit(
        ((rows - centre) / scale)[labels >= 0], labels[labels >= 0]
    )
    weights = np.zeros((rows.shape[1], len(names)))
    bias = np.full(len(names), -20.0)  # a function without an example is never chosen
    weights[:, found.classes_], bias[found.classes_] = found.coef_.T, found.intercept_
    return StateModel(text, weights, bias, centre, scale)


def choose_states(examples: Sequence[Labelled], hidden: Sequence[Matrix], text_strength: float) -> float:
    """The strength with the best accuracy on problems that were left out of `examples`, one after the other."""
    problems = sorted({example.problem for example in examples})
    if len(problems) < 2:
        return STRENGTHS[1]
    right = np.sum([_right(examples, hidden, problem, text_strength) for problem in problems], axis=0)
    return STRENGTHS[int(np.argmax(right))]


def _right(examples: Sequence[Labelled], hidden: Sequence[Matrix], problem: str, text_strength: float) -> list[int]:
    """For each strength, sentences of `problem` that a model of the other problems tags as they are labelled."""
    pairs = list(zip(examples, hidden, strict=True))
    others = [pair for pair in pairs if pair[0].problem != problem]
    known, read = [example for example, _ in others], [each for _, each in others]
    text = fit(known, strength=text_strength)
    found = []
    for strength in STRENGTHS:
        model = fit_states(known, read, text, strength)
        own = [pair for pair in pairs if pair[0].problem == problem]
        found.append(sum(right_tags(model, example, each) for example, each in own))
    return found


def right_tags(model: StateModel, example: Labelled, hidden: Matrix) -> int:
    """How many sentences of one reasoning are tagged as they are labelled."""
    best = model.probabilities(example.sentences, example.prompt, hidden).argmax(axis=1)
    return sum(tuple(FUNCTIONS)[number] == label for number, label in zip(best, example.functions, strict=True))
