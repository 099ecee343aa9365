"""Scores that need no thought: what every other score has to beat."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from antidistill.anchors.scores import Scores
from antidistill.errors import RowError
from antidistill.text import Sentence, split
from antidistill.text.markers import DEFAULT
from antidistill.trace import Trace


@dataclass(frozen=True, kw_only=True, slots=True)
class Simple(ABC):
    """A scorer whose number is told by the sentence and its place."""

    name: ClassVar[str]

    @abstractmethod
    def value(self, sentence: str, number: int) -> float:
        """The score of sentence `number`, from 0."""

    def score(self, trace: Trace, sentences: Sequence[Sentence] | None = None) -> Scores:
        """Scores of one trace.

        Raises:
            RowError: there is no reasoning.
        """
        spans = split(trace.reasoning) if sentences is None else sentences
        if not trace.reasoning.strip() or not spans:
            raise RowError("there is no reasoning to score: the row has no sentence.")
        return Scores(self.name, tuple(self.value(sentence, number) for number, sentence in enumerate(spans)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Position(Simple):
    """Earlier sentences matter more: minus the number of the sentence."""

    name: ClassVar[str] = "position"

    def value(self, sentence: str, number: int) -> float:
        """Minus the number of the sentence."""
        return float(-number)


@dataclass(frozen=True, kw_only=True, slots=True)
class Length(Simple):
    """Longer sentences matter more: characters without the white space behind them."""

    name: ClassVar[str] = "length"

    def value(self, sentence: str, number: int) -> float:
        """Characters of the sentence."""
        return float(len(sentence.rstrip()))


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkerRule(Simple):
    """TraceGuard's rule (arXiv 2604.23238): sentences that open with a marker matter; 1 or 0."""

    name: ClassVar[str] = "markers"

    def value(self, sentence: str, number: int) -> float:
        """1 if the sentence opens with a marker."""
        return float(DEFAULT.opening(sentence) > 0)
