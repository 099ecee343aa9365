"""Fits the text score to reasoning whose sentences have a known importance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from antidistill.anchors.text_score.model import Linear, TextModel, stream_term, whole_term
from antidistill.anchors.text_score.reading import Reading
from antidistill.measure.intervals import Values

PENALTIES = (300.0, 1000.0, 3000.0, 10000.0)
"""What `choose` chooses from."""
_EDGES = 255
_Term = Callable[[int, int], float]


@dataclass(frozen=True, slots=True)
class Scored:
    """One reasoning whose sentences have a known importance.

    Attributes:
        sentences: all sentences, in order, white space behind them included.
        importance: one number per sentence, higher = matters more, NaN = not known; only the order within the trace counts.
        problem: name of the problem; traces of one problem belong on one side of a split.
    """

    sentences: Sequence[str]
    importance: Sequence[float]
    problem: str


def fit(examples: Sequence[Scored], penalty: float) -> TextModel:
    """Ridge regression of what position leaves of the within-trace ranks; every trace weighs the same.

    Args:
        examples: at least one trace of two sentences or more.
        penalty: of the squared weights of the standardized measures, 0 or more.
    """
    measures = [_measures(example) for example in examples]
    ahead = [np.vstack([each[1:], np.full((1, each.shape[1]), np.nan)]) for each in measures]
    stream = _linear(examples, measures, None, stream_term, penalty)
    whole = _linear(examples, measures, ahead, whole_term, penalty)
    problems = tuple(sorted({example.problem for example in examples}))
    return TextModel(stream, whole, _edges(examples, measures, stream), problems)


def choose(examples: Sequence[Scored]) -> float:
    """The penalty whose streaming text score is best correlated with what position leaves, on problems left out in turn."""
    problems = sorted({example.problem for example in examples})
    if len(problems) < 2:
        return PENALTIES[2]
    return max(PENALTIES, key=lambda penalty: sum(_agreement(examples, problem, penalty) for problem in problems))


def ranks(values: Sequence[float] | Values) -> Values:
    """Ranks within one trace, from 0 (lowest) to 1; ties share their mean, and NaN, which is not known, is in the middle."""
    values = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(values)
    found = np.full(len(values), 0.5)
    found[known] = (rankdata(values[known]) - 0.5) / max(known.sum(), 1)
    return found


def residual(values: Values, term: Values) -> Values:
    """What a straight line in `term` leaves of `values`."""
    if len(values) < 3:
        return np.asarray(values - values.mean(), dtype=np.float64)
    return np.asarray(values - np.polyval(np.polyfit(term, values, 1), term), dtype=np.float64)


def _agreement(examples: Sequence[Scored], problem: str, penalty: float) -> float:
    """Sum, over the traces of `problem`, of the correlation of a model of the others with what position leaves."""
    model = fit([example for example in examples if example.problem != problem], penalty).stream
    total = 0.0
    for example in (example for example in examples if example.problem == problem):
        places = np.arange(len(example.sentences)) / max(len(example.sentences), 1)
        ours = residual(ranks([model.text(row) for row in _measures(example)]), places)
        truth = residual(ranks(example.importance), places)
        total += float(ours @ truth) / max(float(np.linalg.norm(ours) * np.linalg.norm(truth)), 1e-12)
    return total


def _measures(example: Scored) -> Values:
    reading = Reading()
    return np.array([reading.read(sentence) for sentence in example.sentences])


def _linear(
    examples: Sequence[Scored], measures: Sequence[Values], ahead: Sequence[Values] | None, term: _Term, penalty: float
) -> Linear:
    """One model; `ahead` holds the measures of the next sentences, NaN where there is none."""
    places = [np.array([term(n, len(e.sentences)) for n in range(len(e.sentences))]) for e in examples]
    targets = [ranks(example.importance) for example in examples]
    weights = np.concatenate([np.full(len(target), 1 / len(target)) for target in targets]) / len(examples)
    left = np.concatenate([residual(target, place) for target, place in zip(targets, places, strict=True)])
    blocks = [np.concatenate(block) for block in ([measures] if ahead is None else [measures, ahead])]
    standard, centres, scales = zip(*map(_standardized, blocks), strict=True)
    found = _ridge(np.hstack(standard), left, weights, penalty)
    parts = np.split(found, len(blocks))
    folded = [part / scale for part, scale in zip(parts, scales, strict=True)]
    biases = [-float(part @ centre) for part, centre in zip(folded, centres, strict=True)]
    after = (biases[1], tuple(map(float, folded[1]))) if ahead is not None else (0.0, ())
    return Linear(biases[0], tuple(map(float, folded[0])), *after, _slope(targets, places))


def _standardized(block: Values) -> tuple[Values, Values, Values]:
    """The block with mean 0 and deviation 1, its means and its deviations; what is not there becomes 0."""
    centre, scale = np.nanmean(block, axis=0), np.nanstd(block, axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    return np.nan_to_num((block - centre) / scale), centre, scale


def _ridge(rows: Values, target: Values, weights: Values, penalty: float) -> Values:
    """The direction that minimizes sum w (y - x b)^2 + penalty |b|^2, as long as least squares makes it.

    The penalty shrinks all weights; without the stretch a strong one would leave the text no say beside the position.
    """
    scaled = rows * (weights * len(rows))[:, None]
    found = np.linalg.solve(rows.T @ scaled + penalty * np.eye(rows.shape[1]), scaled.T @ target)
    made = rows @ found
    return np.asarray(found * float((weights * made) @ target) / max(float((weights * made) @ made), 1e-12))


def _slope(targets: Sequence[Values], places: Sequence[Values]) -> float:
    """Rank per unit of position, within traces."""
    both = [
        (place - place.mean(), target - target.mean(), 1 / len(place))
        for place, target in zip(places, targets, strict=True)
    ]
    spread = sum(weight * float(place @ place) for place, _, weight in both)
    return sum(weight * float(place @ target) for place, target, weight in both) / max(spread, 1e-12)


def _edges(examples: Sequence[Scored], measures: Sequence[Values], model: Linear) -> tuple[float, ...]:
    """Values of the streaming text score between parts of equal length of the training text."""
    values = np.array([model.text(row) for each in measures for row in each])
    sizes = np.array([len(sentence) for example in examples for sentence in example.sentences], dtype=np.float64)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(sizes[order]) / sizes.sum()
    wanted = np.arange(1, _EDGES + 1) / (_EDGES + 1)
    return tuple(float(value) for value in values[order][np.searchsorted(reached, wanted)])
