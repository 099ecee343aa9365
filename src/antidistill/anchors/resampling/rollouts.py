"""Rollouts: how a model goes on from the beginnings of a reasoning, and which answer it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rollout:
    """One continuation.

    Attributes:
        sentence: the first sentence that it writes; empty where it writes none.
        answer: its final answer, normalised; None where it gives none, which counts as an outcome of its own.
        correct: whether the answer is right; None where nobody knows what is.
    """

    sentence: str
    answer: str | None
    correct: bool | None = None


@dataclass(frozen=True, slots=True)
class Rollouts:
    """All rollouts of one trace.

    Attributes:
        sentences: the texts of the reasoning's sentences.
        before: the rollouts for each number of sentences that they start behind, from none to all. So sentence i is kept by
            those of `before[i + 1]` and left to the model by those of `before[i]`. The last, behind the whole reasoning, may be
            missing, as in what others published; the last sentence has no importance then.
        forced: the same for rollouts that had to answer at once; empty where there are none.
        failed: why rollouts are missing, by number of sentences.
    """

    sentences: tuple[str, ...]
    before: tuple[tuple[Rollout, ...], ...]
    forced: tuple[tuple[Rollout, ...], ...] = ()
    failed: Mapping[int, str] = field(default_factory=dict)
