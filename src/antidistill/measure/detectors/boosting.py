"""The strongest detector: gradient boosting on every feature, and on held-out scores of the linear detectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from antidistill.measure.crossfit import Blocks, Learner
from antidistill.measure.detectors.base import Detector, NumberDetector
from antidistill.measure.detectors.models import EMBEDDINGS
from antidistill.measure.detectors.ngrams import CHARACTERS, SEAMS, WORDS
from antidistill.measure.evidence import Evidence

FEATURES = NumberDetector(lambda evidence: evidence.table[1], strength=0.003)
"""All text features, standardised, and logistic regression."""

_LINEAR: dict[str, Detector] = {
    "features": FEATURES,
    "words": WORDS,
    "characters": CHARACTERS,
    "seams": SEAMS,
    "embeddings": EMBEDDINGS,
}
_DENSE = "dense"
_INNER_FOLDS = 3


@dataclass(frozen=True, slots=True)
class Boosting:
    """All text features, those of the models where there are any, and scores of the linear detectors."""

    needs: tuple[str, ...] = ()

    def represent(self, evidence: Evidence) -> Blocks:
        """The numbers for the trees, and what each linear detector reads."""
        dense = [evidence.table[1]]
        if evidence.language_model is not None:
            dense += [evidence.perplexity_features, evidence.seam_features]
        linear = {name: part for name, part in _LINEAR.items() if evidence.has(part.needs)}
        return Blocks({_DENSE: np.hstack(dense)} | {name: part.represent(evidence) for name, part in linear.items()})

    def learner(self) -> Learner:
        """A stack; see `Stack`."""
        return Stack()


class Stack:
    """Linear models, their held-out scores beside the features, and gradient boosting on top.

    The trees learn from scores that each linear model gave to traces it had not seen (inner folds of the training traces),
    as they will meet them on new traces.
    """

    def fit(self, rows: Blocks, labels: NDArray[np.int64]) -> Self:
        """Fits the linear models and the trees."""
        blocks = {name: part for name, part in rows.parts.items() if name != _DENSE}
        held_out = [_held_out(_LINEAR[name], block, labels) for name, block in blocks.items()]
        self._linear = {name: _LINEAR[name].learner().fit(block, labels) for name, block in blocks.items()}
        self._trees = _trees().fit(np.column_stack([rows.parts[_DENSE], *held_out]), labels)
        return self

    def decision_function(self, rows: Blocks) -> NDArray[np.float64]:
        """Log odds of "guarded", one per row."""
        scores = [model.decision_function(rows.parts[name]) for name, model in self._linear.items()]
        columns = np.column_stack([rows.parts[_DENSE], *scores])
        return np.asarray(self._trees.decision_function(columns), dtype=np.float64)


def _held_out(detector: Detector, block: Any, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    scores = np.zeros(len(labels))
    dealt = _dealt(labels)
    for fold in range(_INNER_FOLDS):
        here = dealt == fold
        scores[here] = detector.learner().fit(block[~here], labels[~here]).decision_function(block[here])
    return scores


def _dealt(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """An inner fold for every row, each label dealt evenly."""
    dealt = np.zeros(len(labels), dtype=np.int64)
    for label in (0, 1):
        here = np.flatnonzero(labels == label)
        dealt[here] = np.arange(len(here)) % _INNER_FOLDS
    return dealt


def _trees() -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(
        n_estimators=100,
        learning_rate=0.06,
        max_depth=3,
        subsample=0.6,
        max_features=0.1,
        min_samples_leaf=5,
        random_state=0,
    )


BOOSTING = Boosting()
"""Everything together."""
