"""Deleting by the streaming text score: one judge, on whole texts and on streams alike."""

from __future__ import annotations

from itertools import pairwise

from antidistill.anchors.defense.budget import QuantileBudget
from antidistill.anchors.text_score.model import Linear
from antidistill.anchors.text_score.reading import Reading
from antidistill.defenses.seams import Cuts
from antidistill.defenses.stream import StreamEditor
from antidistill.text.markers import Markers
from antidistill.text.native import survey
from antidistill.text.survey import ITEM, RAGGED, flags
from antidistill.trace import Edit


class Judge:
    """Reads the sentences of one trace in order and says of each whether it is to go."""

    __slots__ = ("_budget", "_model", "_reading")

    def __init__(self, model: Linear, budget: QuantileBudget) -> None:
        self._model = model
        self._budget = budget
        self._reading = Reading()

    def takes(self, number: int, start: int, sentence: str, sentence_flags: int) -> bool:
        """True if the next sentence is to go."""
        measures = self._reading.read(sentence)
        if sentence_flags & (RAGGED | ITEM):
            return False
        score = self._model.text(measures)
        chosen = self._budget.chooses(number, start, score)
        self._budget.passed(score, len(sentence))
        return chosen

    def cut(self, cuts: Cuts, start: int, end: int, last: bool) -> None:
        """Cuts a sentence that is to go, unless that would tell."""
        if cuts.cut(start, end, last):
            self._budget.removed(end - start)


def edit_whole(text: str, judge: Judge, reason: str, markers: Markers) -> list[Edit]:
    """The edits of a whole reasoning."""
    starts, sentence_flags = survey(text, markers)
    cuts, length = Cuts(text, reason=reason), len(text)
    for number, (start, end) in enumerate(pairwise([*starts, length])):
        if judge.takes(number, start, text[start:end], sentence_flags[number]):
            judge.cut(cuts, start, end, end == length)
    return cuts.close()


class AnchorEditor(StreamEditor):
    """Holds every sentence until it ends: only then it has a score."""

    def __init__(self, judge: Judge, reason: str, markers: Markers) -> None:
        super().__init__(reason, markers)
        self._judge = judge

    @property
    def _holds(self) -> bool:
        return True

    def _begin_sentence(self) -> None:
        """Nothing is known at the head of a sentence."""

    def _end_sentence(self, end: int, last: bool) -> None:
        base = self._cuts.base
        sentence_flags = flags(self._cuts.text, self._start - base, end - base, self._markers)
        if self._judge.takes(self._number, self._start, self._slice(self._start, end), sentence_flags):
            self._judge.cut(self._cuts, self._start, end, last)
        if self._cuts.kept_until(end) > self._start:
            self._keep_until(end)
