"""Resampling, counterfactual and forced-answer importance of sentences, out of rollouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antidistill.anchors.resampling.distributions import Apart, answers_apart, rates_apart
from antidistill.anchors.resampling.rollouts import Rollout, Rollouts
from antidistill.measure.intervals import Values

MEASURES = (
    "resampling-accuracy",
    "resampling-kl",
    "counterfactual-accuracy",
    "counterfactual-kl",
    "forced-accuracy",
    "forced-kl",
)
"""Whether a sentence is resampled, replaced by one that means something else, or followed by the answer at once; and by what."""

_NO_ROLLOUTS = "there are no rollouts with and without the sentence"
_NO_GOLD = "nobody knows which answer is right"
_NONE_DIFFERENT = "no rollout wrote a sentence that means something else"
_NO_ENCODER = "sentences were not compared"


@dataclass(frozen=True, slots=True)
class Importance:
    """What rollouts say about every sentence of a trace, by measure (see `MEASURES`).

    Accuracy: the share of right answers with the sentence minus that without, -1 to 1; positive = the sentence helps. KL:
    divergence of the answers without the sentence from those with it, in nats, 0 and more; higher = matters more. NaN where a
    measure has no value, with the reason in `reasons`.

    Attributes:
        values: one per sentence, by measure; each of shape (sentences,).
        low, high: 95 % intervals of them.
        floor: what pure sampling noise stays below (in absolute value) in 95 of 100 cases, at these numbers of rollouts.
        different: share of the rollouts without the sentence that wrote one that means something else; NaN where not compared.
        accuracy: share of right answers without the sentence; NaN where unknown.
        sizes: rollouts without and with the sentence, shape (2, sentences).
        reasons: by measure and number of the sentence.
    """

    values: Mapping[str, Values]
    low: Mapping[str, Values]
    high: Mapping[str, Values]
    floor: Mapping[str, Values]
    different: Values
    accuracy: Values
    sizes: NDArray[np.int64]
    reasons: Mapping[str, Mapping[int, str]]

    def above_floor(self, measure: str) -> NDArray[np.bool_]:
        """Sentences whose value noise alone would seldom (1 in 20) give, shape (sentences,)."""
        return np.asarray(np.abs(self.values[measure]) > self.floor[measure], dtype=np.bool_)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain lists; NaN as None."""
        tables = {name: getattr(self, name) for name in ("values", "low", "high", "floor")}
        shown: dict[str, Any] = {
            name: {measure: _plain(row) for measure, row in table.items()} for name, table in tables.items()
        }
        shown |= {"different": _plain(self.different), "accuracy": _plain(self.accuracy), "sizes": self.sizes.tolist()}
        return shown | {"reasons": {measure: dict(each) for measure, each in self.reasons.items() if each}}


def _plain(values: Values) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def similarities(rollouts: Rollouts, embed: Callable[[Sequence[str]], Values]) -> list[Values]:
    """Cosine of each sentence and what rollouts wrote in its place, one array per sentence; -1 to 1, NaN for nothing written.

    Args:
        rollouts: of one trace.
        embed: unit vectors of texts, shape (texts, dimensions), such as `measure.embedding.Encoder.embed`.
    """
    places = [
        rollouts.before[number] if number < len(rollouts.before) else () for number in range(len(rollouts.sentences))
    ]
    texts = [text for own, place in zip(rollouts.sentences, places, strict=True) for text in (own, *_written(place))]
    distinct = list(dict.fromkeys(text.strip() for text in texts))
    vectors = dict(zip(distinct, embed(distinct), strict=True)) if distinct else {}
    found = []
    for own, place in zip(rollouts.sentences, places, strict=True):
        cosines = [
            float(vectors[text.strip()] @ vectors[own.strip()]) if text.strip() else np.nan for text in _written(place)
        ]
        found.append(np.array(cosines))
    return found


def _written(place: Sequence[Rollout]) -> list[str]:
    return [rollout.sentence for rollout in place]


def importance(
    rollouts: Rollouts, cosines: Sequence[Values] | None = None, threshold: float | None = None, seed: int = 0
) -> Importance:
    """Importance of every sentence by all measures that the rollouts allow.

    After Thought Anchors (arXiv 2506.19143). Resampling: rollouts behind the sentence against those that wrote one in its place,
    whatever it was. Counterfactual: only those whose own sentence means something else; for KL the others count as having kept
    it, for accuracy they do not count. Forced: as resampling, for rollouts that had to answer at once. The published
    counterfactual accuracy has the opposite sign of ours.

    Args:
        rollouts: of one trace.
        cosines: how alike the sentences that were written instead are (`similarities`); None: no counterfactual importance.
        threshold: a cosine below it means something else; None for the median over the trace, as in the paper.
        seed: of the draws behind intervals and floors.
    """
    count = len(rollouts.sentences)
    if threshold is None and cosines is not None:
        known = np.concatenate([np.zeros(0), *(each[np.isfinite(each)] for each in cosines)])
        threshold = float(np.median(known)) if len(known) else 0.0
    table = _Table(count, seed)
    different = np.full(count, np.nan)
    for number in range(count):
        without, kept = _at(rollouts.before, number), _at(rollouts.before, number + 1)
        table.compare("resampling", number, without, kept, kept, _NO_ROLLOUTS)
        answered, forced = _at(rollouts.forced, number), _at(rollouts.forced, number + 1)
        table.compare("forced", number, answered, forced, forced, _NO_ROLLOUTS)
        if cosines is None or threshold is None:
            table.leave_out("counterfactual", number, _NO_ENCODER)
            continue
        other = [not cosine >= threshold for cosine in cosines[number]]
        changed = [rollout for rollout, differs in zip(without, other, strict=True) if differs]
        similar = [rollout for rollout, differs in zip(without, other, strict=True) if not differs]
        different[number] = len(changed) / len(other) if other else np.nan
        reason = _NONE_DIFFERENT if without and kept else _NO_ROLLOUTS
        table.compare("counterfactual", number, changed, kept, [*kept, *similar] if kept else [], reason)
    sizes = [[len(_at(rollouts.before, number + step)) for number in range(count)] for step in (0, 1)]
    return table.finished(different, _accuracy(rollouts), np.array(sizes, dtype=np.int64))


class _Table:
    """Values, intervals, floors and reasons as they are found."""

    def __init__(self, count: int, seed: int) -> None:
        self._seed, self._count = seed, count
        self._parts = {
            name: {measure: np.full(count, np.nan) for measure in MEASURES}
            for name in ("values", "low", "high", "floor")
        }
        self._reasons: dict[str, dict[int, str]] = {measure: {} for measure in MEASURES}

    def compare(
        self,
        kind: str,
        number: int,
        without: Sequence[Rollout],
        kept: Sequence[Rollout],
        pooled: Sequence[Rollout],
        reason: str,
    ) -> None:
        """Both measures of a kind for one sentence; `kept` is what accuracy is compared with, `pooled` what answers are."""
        if not without or not kept:
            self.leave_out(kind, number, reason)
            return
        seed = self._seed * 1_000_003 + number
        self._put(f"{kind}-kl", number, answers_apart(_answers(without), _answers(pooled), seed))
        right = [_right(without), _right(kept)]
        if not all(right):
            self._reasons[f"{kind}-accuracy"][number] = _NO_GOLD
            return
        self._put(f"{kind}-accuracy", number, rates_apart(right[0], right[1], seed))

    def _put(self, measure: str, number: int, apart: Apart) -> None:
        found = {**apart.interval._asdict(), "floor": apart.floor}
        for name, key in (("values", "value"), ("low", "low"), ("high", "high"), ("floor", "floor")):
            self._parts[name][measure][number] = found[key]

    def leave_out(self, kind: str, number: int, reason: str) -> None:
        """No value for one sentence."""
        for measure in (f"{kind}-accuracy", f"{kind}-kl"):
            self._reasons[measure][number] = reason

    def finished(self, different: Values, accuracy: Values, sizes: NDArray[np.int64]) -> Importance:
        """All of it."""
        return Importance(**self._parts, different=different, accuracy=accuracy, sizes=sizes, reasons=self._reasons)


def _at(places: Sequence[Sequence[Rollout]], number: int) -> Sequence[Rollout]:
    return places[number] if number < len(places) else ()


def _answers(rollouts: Sequence[Rollout]) -> list[str | None]:
    return [rollout.answer for rollout in rollouts]


def _right(rollouts: Sequence[Rollout]) -> list[bool]:
    """Which answers are right; empty where that is not known."""
    known = [rollout.correct for rollout in rollouts if rollout.correct is not None]
    return known if len(known) == len(rollouts) else []


def _accuracy(rollouts: Rollouts) -> Values:
    right = [_right(_at(rollouts.before, number)) for number in range(len(rollouts.sentences))]
    return np.array([np.mean(each) if each else np.nan for each in right])
