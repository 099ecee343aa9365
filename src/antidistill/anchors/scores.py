"""What a scorer of sentences is, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from antidistill import registry
from antidistill.errors import RowError
from antidistill.text import Sentence, split
from antidistill.trace import Trace


@dataclass(frozen=True, slots=True)
class Scores:
    """What one scorer says about the sentences of one trace.

    Attributes:
        scorer: name of the scorer.
        values: one number per sentence, in order; higher = matters more. None where a sentence has no score. The unit is the
            scorer's, so compare ranks, not numbers, between scorers.
        variant: the options that the numbers were made with, as plain JSON values; numbers of two variants do not compare.
        reason: why no sentence has a score; empty where at least one has.
        evidence: what stands behind the numbers (matrices, intervals, noise floors, reliability), by name.
    """

    scorer: str
    values: tuple[float | None, ...]
    variant: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ranks(self) -> tuple[int | None, ...]:
        """Rank of each sentence, 1 = highest score; ties go to the earlier sentence; None where there is no score."""
        scored = [(number, value) for number, value in enumerate(self.values) if value is not None]
        order = sorted(scored, key=lambda pair: -pair[1])
        rank = {number: place + 1 for place, (number, _) in enumerate(order)}
        return tuple(rank.get(number) for number in range(len(self.values)))


@runtime_checkable
class Scorer(Protocol):
    """Scores the sentences of traces; a frozen dataclass whose fields are its options, as defenses are.

    A scorer that learns from other traces than the one it scores (receiver heads) also has `score_all(traces, sentences)`.
    """

    @property
    def name(self) -> str:
        """The name under which it is registered."""
        ...

    def score(self, trace: Trace, sentences: Sequence[Sentence] | None = None) -> Scores:
        """Scores of one trace.

        Args:
            trace: the trace.
            sentences: its sentences, ascending and not overlapping; `antidistill.split(trace.reasoning)` where not given.

        Raises:
            RowError: this trace has no scores, with the reason.
        """
        ...


@runtime_checkable
class Costly(Protocol):
    """A scorer that asks a model so often that what it takes should be said before it begins."""

    def cost(self, traces: Sequence[Trace], sentences: Sequence[Sequence[Sentence]]) -> object:
        """What scoring these traces takes; `str` of it is a phrase for a reader."""
        ...


def unscored(scorer: str, sentences: int, reason: str, variant: Mapping[str, Any] | None = None) -> Scores:
    """A row with a reason instead of scores."""
    return Scores(scorer, (None,) * sentences, variant or {}, reason)


def make(name: str, **options: Any) -> Scorer:
    """The scorer `name` with its options.

    Raises:
        UnknownName: no such scorer, or no such option of it.
        BadOption: an option out of its range.
    """
    scorer: Scorer = registry.make("scorers", name, **options)
    return scorer


def score_all(
    scorer: Scorer, traces: Sequence[Trace], sentences: Sequence[Sequence[Sentence]] | None = None
) -> list[Scores]:
    """Scores of many traces, in order; a trace that cannot be scored gets a row with the reason, none is lost.

    Args:
        scorer: any scorer; one with a `score_all` of its own sees all traces at once.
        traces: the traces.
        sentences: sentences of each trace; split where not given.
    """
    spans = [split(trace.reasoning) for trace in traces] if sentences is None else list(sentences)
    own = getattr(scorer, "score_all", None)
    if own is not None:
        found: list[Scores] = own(traces, spans)
        return found
    return [_scored(scorer, trace, each) for trace, each in zip(traces, spans, strict=True)]


def _scored(scorer: Scorer, trace: Trace, sentences: Sequence[Sentence]) -> Scores:
    try:
        return scorer.score(trace, sentences)
    except RowError as reason:
        return unscored(scorer.name, len(sentences), str(reason))
