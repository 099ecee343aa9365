"""What the detectors look at: traces of one kind, and everything computed from them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from antidistill.measure import features
from antidistill.measure.intervals import Values
from antidistill.trace import Trace

if TYPE_CHECKING:
    from antidistill.measure.embedding import Encoder
    from antidistill.measure.likelihood import LanguageModel, Losses


@dataclass(frozen=True)
class Evidence:
    """Traces of one kind (all clean, or all guarded), without their originals.

    Every property has one row per trace, and row i depends on trace i alone: nothing is fitted here, so that nothing can
    pass from held-out traces to a detector.
    """

    traces: Sequence[Trace]
    language_model: LanguageModel | None = None
    encoder: Encoder | None = None

    def has(self, needs: Sequence[str]) -> bool:
        """Whether the models that a detector needs are there."""
        there = {"language model": self.language_model, "encoder": self.encoder}
        return all(there[need] is not None for need in needs)

    @property
    def texts(self) -> list[str]:
        """The reasoning of each trace."""
        return [trace.reasoning for trace in self.traces]

    @cached_property
    def table(self) -> tuple[list[str], Values]:
        """Names of the features (`group.feature`) and their values, shape (traces, features)."""
        return features.table(self.traces)

    def group(self, name: str) -> Values:
        """The features of one group, shape (traces, features of the group)."""
        names, values = self.table
        return values[:, [feature.startswith(f"{name}.") for feature in names]]

    @cached_property
    def word_counts(self) -> Any:
        """Counts of words and word pairs, sparse."""
        from antidistill.measure.ngrams import word_counts

        return word_counts(self.texts)

    @cached_property
    def character_counts(self) -> Any:
        """Counts of character n-grams, sparse."""
        from antidistill.measure.ngrams import character_counts

        return character_counts(self.texts)

    @cached_property
    def seam_counts(self) -> Any:
        """Counts of what stands on both sides of sentence boundaries, sparse."""
        from antidistill.measure.ngrams import seam_counts

        return seam_counts(self.texts)

    @cached_property
    def losses(self) -> list[Losses]:
        """Loss of every token of each trace; needs the language model."""
        assert self.language_model is not None, "a detector that needs the language model ran without it"
        return self.language_model.losses(self.texts)

    @cached_property
    def perplexity_features(self) -> Values:
        """Mean and spread of the token losses, shape (traces, features); needs the language model."""
        from antidistill.measure.surprise import loss_features

        return np.array([loss_features(losses) for losses in self.losses])

    @cached_property
    def seam_features(self) -> Values:
        """Losses of the first tokens of sentences, shape (traces, features); needs the language model."""
        from antidistill.measure.surprise import seam_features

        pairs = zip(self.texts, self.losses, strict=True)
        return np.array([seam_features(text, losses) for text, losses in pairs])

    @cached_property
    def embeddings(self) -> Values:
        """Unit vectors of the traces, shape (traces, dimensions); needs the encoder."""
        assert self.encoder is not None, "a detector that needs the encoder ran without it"
        return self.encoder.embed(self.texts)
