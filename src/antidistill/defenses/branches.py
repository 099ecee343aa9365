"""Branches: whole branches go, chosen by the key up to a share."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from antidistill.defenses.base import Editor
from antidistill.defenses.budget import ShareBudget, check_share
from antidistill.defenses.choices import Choices, require_key
from antidistill.defenses.seams import Cuts
from antidistill.defenses.stream import StreamEditor
from antidistill.defenses.text_defense import MarkerDefense
from antidistill.text.markers import Markers
from antidistill.text.native import survey
from antidistill.text.survey import BULLET, ITEM, MARKER, RAGGED, flags, is_ragged
from antidistill.trace import Edit


@dataclass(frozen=True, kw_only=True, slots=True)
class Branches(MarkerDefense):
    """Deletes branches: a marker sentence and what follows it, up to the next marker sentence.

    What precedes the first marker and the last branch never go, so the reasoning keeps its start and its conclusion. A cut
    starts and ends where the text itself turns, and markers go together with what they announce.

    Attributes:
        share: expected share of the reasoning's characters that goes, as far as there are branches.
    """

    name: ClassVar[str] = "branches"
    share: float = 0.15

    def __post_init__(self) -> None:
        MarkerDefense.__post_init__(self)
        require_key(self.key)
        check_share(self.share)

    def begin(self, trace_key: bytes) -> Editor:
        """An editor for one trace that arrives in pieces."""
        return _BranchEditor(self._budget(trace_key), self.name, self.marker_table)

    def edit(self, text: str, trace_key: bytes) -> list[Edit]:
        """The edits of a whole reasoning."""
        starts, sentence_flags = survey(text, self.marker_table)
        heads = [number for number, flag in enumerate(sentence_flags) if flag & MARKER]
        cuts = Cuts(text, reason=self.name)
        budget = self._budget(trace_key)
        for branch, (head, next_head) in enumerate(pairwise(heads)):
            start, end = starts[head], starts[next_head]
            if budget.chooses(branch, start):
                cut_branch(cuts, starts[head : next_head + 1], sentence_flags[head:next_head])
            budget.passed(end - start)
        return cuts.close()

    def _budget(self, trace_key: bytes) -> ShareBudget:
        return ShareBudget(self.share, Choices(self.key, trace_key, self.name))


def cut_branch(cuts: Cuts, starts: list[int], sentence_flags: bytes | bytearray) -> None:
    """Cuts the branch unless something would be torn; the last of the starts is that of the next branch.

    A branch with a numbered item or a step stays: whether the list goes on behind it is not known yet.
    """
    start, end = starts[0], starts[-1]
    seen = functools.reduce(operator.or_, sentence_flags)
    if seen & ITEM or (seen & RAGGED and is_ragged(cuts.text[start - cuts.base : end - cuts.base])):
        return
    if seen & BULLET:
        last_item = max(place for place, flag in enumerate(sentence_flags) if flag & BULLET)
        if not cuts.ends_item(starts[last_item], end, last=False):
            return
    cuts.cut(start, end, last=False)


class _BranchEditor(StreamEditor):
    """Holds a chosen branch until the next one begins: only then is it known not to be the last."""

    def __init__(self, budget: ShareBudget, reason: str, markers: Markers) -> None:
        super().__init__(reason, markers)
        self._budget = budget
        self._branch = -1
        self._branch_start = 0
        self._chosen = False
        self._starts: list[int] = []
        self._flags = bytearray()

    @property
    def _holds(self) -> bool:
        return self._chosen

    def _begin_sentence(self) -> None:
        if not self._marker:
            return
        if self._branch >= 0:
            self._end_branch()
        self._branch += 1
        self._branch_start = self._start
        self._chosen = self._budget.chooses(self._branch, self._start)
        self._starts.clear()
        self._flags.clear()

    def _end_branch(self) -> None:
        if self._chosen:
            cut_branch(self._cuts, [*self._starts, self._start], self._flags)
            if self._cuts.kept_until(self._start) > self._branch_start:
                self._keep_until(self._start)
        self._budget.passed(self._start - self._branch_start)

    def _end_sentence(self, end: int, last: bool) -> None:
        if self._chosen:
            base = self._cuts.base
            self._starts.append(self._start)
            self._flags.append(flags(self._cuts.text, self._start - base, end - base, self._markers))
        else:
            self._keep_until(end)

    def _forget(self, offset: int) -> None:
        super()._forget(min(offset, self._branch_start) if self._chosen else offset)
