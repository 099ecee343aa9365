"""The numbers of an evaluation, each with its interval: lost reasoning apart from lost format."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from antidistill.errors import InputError
from antidistill.measure.intervals import Z95, Values, mean, wilson
from antidistill.trace import Estimate

LOOPING = 0.5
"""An output with fewer distinct word 4-grams than this share is called looping."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One output of a student.

    Attributes:
        question: id of the question.
        sample: number of the output among those of the question, from 0.
        right: whether the grader accepts it, finished or not.
        finished: whether the student ended the text itself.
        closed: whether it closed the reasoning.
        tokens: tokens written.
        boxes: answers in boxes.
        distinct: share of distinct word 4-grams, in [0, 1]; low = repetitive.
        markers: sentences of the reasoning that open with a marker.
        sentences: sentences of the reasoning.
        forced: by the name of who was forced, whether the forced answer is right.
    """

    question: str
    sample: int
    right: bool
    finished: bool
    closed: bool
    tokens: int
    boxes: int
    distinct: float
    markers: int
    sentences: int
    forced: Mapping[str, bool] = field(default_factory=dict)

    @property
    def correct(self) -> bool:
        """Right and finished: what accuracy counts."""
        return self.right and self.finished

    @property
    def loops(self) -> bool:
        """Whether it repeats itself more than it says anything new."""
        return self.distinct < LOOPING


MEASURES: dict[str, tuple[str, Callable[[Outcome], float]]] = {
    "accuracy": ("", lambda outcome: outcome.correct),
    "finished": ("", lambda outcome: outcome.finished),
    "right_unfinished": ("", lambda outcome: outcome.right and not outcome.finished),
    "closed": ("", lambda outcome: outcome.closed),
    "tokens": ("tokens", lambda outcome: outcome.tokens),
    "boxes": ("boxes per output", lambda outcome: outcome.boxes),
    "looping": ("", lambda outcome: outcome.loops),
    "markers": ("marker sentences per output", lambda outcome: outcome.markers),
    "says_marker": ("", lambda outcome: outcome.markers > 0),
}
"""Name -> unit and value of one output. `accuracy` and everything in [0, 1] are shares of the outputs."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a student answered.

    Attributes:
        outcomes: one per question and sample.
    """

    outcomes: Sequence[Outcome]

    def estimates(self) -> dict[str, Estimate]:
        """All measures; `accuracy` = `finished` x `accuracy_of_finished`, exactly.

        `accuracy_forced_by_X` counts the answer that X was forced to give, `accuracy_raw_or_forced_by_X` also an answer
        that the output had already (the rule of the ADS code).
        """
        found = {name: self.estimate(name) for name in MEASURES}
        finished = [outcome for outcome in self.outcomes if outcome.finished]
        found["accuracy_of_finished"] = _estimate("accuracy_of_finished", finished, MEASURES["accuracy"][1])
        for name in self.outcomes[0].forced if self.outcomes else ():
            forced, either = f"accuracy_forced_by_{name}", f"accuracy_raw_or_forced_by_{name}"
            found[forced] = _estimate(forced, self.outcomes, _forced(name))
            found[either] = _estimate(either, self.outcomes, _either(name))
        return found

    def estimate(self, measure: str) -> Estimate:
        """One measure of `MEASURES`."""
        unit, value = MEASURES[measure]
        return _estimate(measure, self.outcomes, value, unit)

    def to_json(self) -> dict[str, Any]:
        """Estimates, and the outcomes that a later comparison needs."""
        return {
            "questions": len({outcome.question for outcome in self.outcomes}),
            "outputs": len(self.outcomes),
            "estimates": {name: estimate.to_json() for name, estimate in self.estimates().items()},
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Evaluation:
        """What `to_json` wrote.

        Raises:
            InputError: it is something else.
        """
        try:
            return cls([Outcome(**row) for row in content["outcomes"]])
        except (KeyError, TypeError) as error:
            raise InputError(f"this is no result of antidistill distill ({error}): give what --json wrote.") from error


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two students on the same questions.

    Attributes:
        difference: first minus second, paired by question.
        only_first, only_second: outputs that count in one of them only (one output per question), else 0.
        p: McNemar's exact two-sided p (binomial over the discordant questions); None with several outputs per question.
    """

    difference: Estimate
    only_first: int
    only_second: int
    p: float | None

    def to_json(self) -> dict[str, Any]:
        """Difference as an estimate, and the test."""
        return {
            **self.difference.to_json(),
            "only_first": self.only_first,
            "only_second": self.only_second,
            "mcnemar_p": self.p,
        }


def compare(
    first: Evaluation, second: Evaluation, value: Callable[[Outcome], float] = lambda outcome: outcome.correct
) -> Comparison:
    """Compares two students question by question: damage, if the first learned from clean traces.

    The interval is Agresti and Min's (2005) for paired shares where there is one output per question and the value is
    yes or no; else the bootstrap over questions.

    Args:
        first: evaluation of one student, the clean one for instance.
        second: of the other, on the same questions.
        value: what is compared; accuracy unless given.

    Raises:
        InputError: the questions differ.
    """
    from scipy.stats import binomtest

    ours, theirs = _by_question(first, value), _by_question(second, value)
    if not ours or ours.keys() != theirs.keys():
        raise InputError(
            f"{len(ours)} and {len(theirs)} questions, {len(ours.keys() & theirs.keys())} of them shared, cannot be "
            "compared: both students must be asked the same questions."
        )
    pairs = np.array([(np.mean(ours[name]), np.mean(theirs[name])) for name in ours])
    differences = pairs[:, 0] - pairs[:, 1]
    single = all(len(values) == 1 for values in [*ours.values(), *theirs.values()]) and bool(
        np.isin(pairs, (0, 1)).all()
    )
    if not single:
        return Comparison(Estimate("difference", *mean(differences, np.arange(len(pairs))), len(pairs)), 0, 0, None)
    more, less = int((differences > 0).sum()), int((differences < 0).sum())
    p = float(binomtest(more, more + less).pvalue) if more + less else 1.0
    return Comparison(Estimate("difference", *_paired_shares(more, less, len(pairs)), len(pairs)), more, less, p)


def _paired_shares(more: int, less: int, n: int) -> tuple[float, float, float]:
    """Difference of two paired shares; Agresti and Min (2005): half a pair is added to each cell of the table."""
    more_adjusted, less_adjusted, total = more + 0.5, less + 0.5, n + 2
    middle = (more_adjusted - less_adjusted) / total
    spread = math.sqrt((more_adjusted + less_adjusted) - (more_adjusted - less_adjusted) ** 2 / total) / total
    return (more - less) / n, max(middle - Z95 * spread, -1.0), min(middle + Z95 * spread, 1.0)


def _by_question(evaluation: Evaluation, value: Callable[[Outcome], float]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for outcome in evaluation.outcomes:
        found.setdefault(outcome.question, []).append(float(value(outcome)))
    return found


def _forced(name: str) -> Callable[[Outcome], float]:
    return lambda outcome: outcome.forced[name]


def _either(name: str) -> Callable[[Outcome], float]:
    return lambda outcome: outcome.forced[name] or outcome.right


def _estimate(name: str, outcomes: Sequence[Outcome], value: Callable[[Outcome], float], unit: str = "") -> Estimate:
    """Mean over outputs: Wilson for shares with one output per question, else the bootstrap over questions."""
    if not outcomes:
        return Estimate(name, math.nan, math.nan, math.nan, 0, unit)
    values: Values = np.array([value(outcome) for outcome in outcomes], dtype=np.float64)
    codes = np.unique([outcome.question for outcome in outcomes], return_inverse=True)[1].astype(np.int64)
    questions = int(codes.max()) + 1
    average = float(values.mean())
    if set(np.unique(values)) <= {0.0, 1.0} and (questions == len(values) or average in (0.0, 1.0)):
        return Estimate(name, average, *wilson(average, questions), questions, unit)
    return Estimate(name, *mean(values, codes), questions, unit)
