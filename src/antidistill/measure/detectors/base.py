"""What a detector is: a representation of traces that needs no label, and a learner that is fitted on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from antidistill.measure.crossfit import Learner
from antidistill.measure.evidence import Evidence


class Detector(Protocol):
    """Tells guarded traces from clean ones without their originals.

    Attributes:
        needs: models it cannot do without, of "language model" and "encoder".
    """

    @property
    def needs(self) -> tuple[str, ...]:
        """Models it cannot do without: "language model", "encoder"."""
        ...

    def represent(self, evidence: Evidence) -> Any:
        """One row per trace (dense, sparse or `Blocks`); a row depends on its own trace alone."""
        ...

    def learner(self) -> Learner:
        """A fresh classifier for such rows; it may use labels only in `fit`."""
        ...


@dataclass(frozen=True, slots=True)
class NumberDetector:
    """A few numbers per trace, standardised, and logistic regression on them.

    The direction of every number is learnt from the training traces: a detector that would have to be turned round after a
    look at the test traces scores below 0.5 here, and should.
    """

    numbers: Callable[[Evidence], Any]
    strength: float = 0.1
    needs: tuple[str, ...] = ()

    def represent(self, evidence: Evidence) -> Any:
        """The numbers, shape (traces, numbers)."""
        return self.numbers(evidence)

    def learner(self) -> Learner:
        """Standardisation and logistic regression; `strength` is its C."""
        learner: Learner = linear(self.strength)
        return learner


def linear(strength: float) -> Any:
    """Standardisation, then logistic regression with C = `strength`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))


def sparse_linear(columns: int) -> Any:
    """The `columns` most widespread terms of the training texts, TF-IDF (1 + log tf, L2), logistic regression."""
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.feature_selection import SelectKBest
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        SelectKBest(_spread, k=columns),
        TfidfTransformer(sublinear_tf=True),
        LogisticRegression(C=30, solver="liblinear", dual=True, max_iter=1000, tol=1e-3, random_state=0),
    )


def _spread(counts: Any, _labels: Any) -> Any:
    """In how many texts each term occurs; the labels play no part."""
    return counts.getnnz(axis=0).astype(float)
