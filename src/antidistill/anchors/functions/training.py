"""Fits the trained tagger to reasoning whose sentences somebody labelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antidistill.anchors.functions.base import FUNCTIONS
from antidistill.anchors.functions.features import MEASURES, asked_for, measures, terms
from antidistill.anchors.functions.trained import MEASURE_REACH, NEIGHBOURS, REACH, LinearModel, vector

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One reasoning with the function of each sentence.

    Attributes:
        prompt: what the model was asked.
        sentences: all sentences, in order, white space behind them included where it is known.
        functions: one of `FUNCTIONS` per sentence; a sentence with another name is context alone, nothing is learnt of it.
        problem: name of the problem; traces of one problem belong on one side of a split.
    """

    prompt: str
    sentences: Sequence[str]
    functions: Sequence[str]
    problem: str


def fit(examples: Sequence[Labelled], *, strength: float = 0.5, least: int = 2) -> LinearModel:
    """The tagger that multinomial logistic regression finds.

    Args:
        examples: the labelled reasoning.
        strength: inverse of the L2 penalty, above 0; smaller = flatter.
        least: a term counts if so many sentences have it.
    """
    from sklearn.linear_model import LogisticRegression

    model = _untrained(examples, least)
    rows = _rows(examples, model)
    names = list(FUNCTIONS)
    labels = numbers(examples)
    found = LogisticRegression(C=strength, max_iter=1000).fit(rows[labels >= 0], labels[labels >= 0])
    weights = np.zeros((len(names), rows.shape[1]))
    bias = np.full(len(names), -20.0)  # a function without an example is never chosen
    weights[found.classes_], bias[found.classes_] = found.coef_, found.intercept_
    return _with(model, weights, bias)


def numbers(examples: Sequence[Labelled]) -> NDArray[np.int64]:
    """Number of the function of every sentence in `FUNCTIONS`; -1 for another name."""
    known = {name: number for number, name in enumerate(FUNCTIONS)}
    return np.array([known.get(function, -1) for example in examples for function in example.functions], dtype=np.int64)


def _untrained(examples: Sequence[Labelled], least: int) -> LinearModel:
    seen: Counter[str] = Counter()
    placed = []
    for example in examples:
        asked = asked_for(example.prompt)
        placed.append(measures(example.sentences, asked))
        for sentence in example.sentences:
            seen.update(term for group in terms(sentence, asked) for term in group)
    count = sum(len(example.sentences) for example in examples)
    kept = sorted(term for term, times in seen.items() if times >= least)
    idf = np.array([np.log((1 + count) / (1 + seen[term])) + 1 for term in kept])
    every = np.concatenate(placed)
    spread = every.std(axis=0)
    scale = np.where(spread > 1e-3, spread, 1.0)  # a measure that never changes says nothing
    problems = tuple(sorted({example.problem for example in examples}))
    empty = np.zeros((0, 0))
    known = {term: number for number, term in enumerate(kept)}
    return LinearModel(known, idf, empty, empty, every.mean(axis=0), scale, empty, problems)


def _rows(examples: Sequence[Labelled], model: LinearModel) -> Any:
    """The sparse design matrix: terms of sentence, predecessor, successor; then their measures."""
    import scipy.sparse as sp

    blocks = []
    for example in examples:
        asked = asked_for(example.prompt)
        found = [vector(terms(sentence, asked), model.terms, model.idf) for sentence in example.sentences]
        bounds = np.cumsum([0, *(len(numbers) for numbers, _ in found)])
        columns, values = (np.concatenate([pair[side] for pair in found]) for side in (0, 1))
        lexical = sp.csr_matrix((values, columns, bounds), shape=(len(found), len(model.terms)))
        placed = sp.csr_matrix((measures(example.sentences, asked) - model.centre) / model.scale)
        parts = [_moved(lexical * reach, offset) for reach, offset in zip(REACH, NEIGHBOURS, strict=True)]
        blocks.append(sp.hstack([*parts, *_moved_measures(placed)]))
    return sp.vstack(blocks).tocsr()


def _moved_measures(placed: Any) -> list[Any]:
    import scipy.sparse as sp

    pairs = zip(MEASURE_REACH, NEIGHBOURS, strict=True)
    return [_moved(placed @ sp.diags(reach), offset) for reach, offset in pairs]


def _moved(rows: Any, offset: int) -> Any:
    """Row i becomes row i + offset; empty where there is none."""
    import scipy.sparse as sp

    return sp.eye(rows.shape[0], k=offset) @ rows


def _with(model: LinearModel, weights: Matrix, bias: Matrix) -> LinearModel:
    """The model with what the regression found; `weights` has the shape (functions, columns)."""
    known, functions = len(model.terms), len(FUNCTIONS)
    lexical = weights[:, : known * len(NEIGHBOURS)].reshape(functions, len(NEIGHBOURS), known)
    placed = weights[:, known * len(NEIGHBOURS) :].reshape(functions, len(NEIGHBOURS), MEASURES)
    scaled = (lexical * REACH[None, :, None]).transpose(2, 1, 0)
    return LinearModel(
        model.terms, model.idf, scaled, placed.transpose(1, 2, 0), model.centre, model.scale, bias, model.problems
    )


STRENGTHS = (0.15, 0.3, 0.6)
"""What `choose` chooses from."""


def choose(examples: Sequence[Labelled]) -> float:
    """The strength with the best accuracy on problems that were left out of `examples`, one after the other."""
    problems = sorted({example.problem for example in examples})
    if len(problems) < 2:
        return STRENGTHS[1]
    return max(STRENGTHS, key=lambda strength: sum(_right(examples, problem, strength) for problem in problems))


def _right(examples: Sequence[Labelled], problem: str, strength: float) -> int:
    """Sentences of `problem` that a model of the other problems tags as they are labelled."""
    model = fit([example for example in examples if example.problem != problem], strength=strength)
    names = tuple(FUNCTIONS)
    right = 0
    for example in examples:
        if example.problem == problem:
            found = model.probabilities(example.sentences, example.prompt).argmax(axis=1)
            right += sum(names[best] == label for best, label in zip(found, example.functions, strict=True))
    return right
