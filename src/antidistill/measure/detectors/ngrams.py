"""Detectors that learn from n-grams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from antidistill.measure.crossfit import Learner
from antidistill.measure.detectors.base import sparse_linear
from antidistill.measure.evidence import Evidence


@dataclass(frozen=True, slots=True)
class GramDetector:
    """TF-IDF of counted terms and logistic regression."""

    counts: Callable[[Evidence], Any]
    columns: int
    needs: tuple[str, ...] = ()

    def represent(self, evidence: Evidence) -> Any:
        """The counts, sparse."""
        return self.counts(evidence)

    def learner(self) -> Learner:
        """Selection of terms, inverse document frequencies and the classifier, all from the training texts."""
        learner: Learner = sparse_linear(self.columns)
        return learner


WORDS = GramDetector(lambda evidence: evidence.word_counts, 20_000)
"""Words and word pairs."""

CHARACTERS = GramDetector(lambda evidence: evidence.character_counts, 3_000)
"""Character 3- and 4-grams."""

SEAMS = GramDetector(lambda evidence: evidence.seam_counts, 3_000)
"""What meets at sentence boundaries."""
