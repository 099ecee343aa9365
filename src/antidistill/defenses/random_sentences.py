"""Random sentences: the control that removes text without looking at it (arXiv 2604.23238, appendix G.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from antidistill.defenses.base import Defense, Editor
from antidistill.defenses.budget import ShareBudget, check_share
from antidistill.defenses.choices import Choices, require_key
from antidistill.defenses.seams import Cuts
from antidistill.defenses.sentences import SentencePolicy
from antidistill.defenses.text_defense import SentenceWise, TextDefense
from antidistill.defenses.whole import WholeEditor
from antidistill.errors import BadOption
from antidistill.text.native import survey
from antidistill.text.survey import ITEM, RAGGED
from antidistill.trace import Edit, Span, as_spans


@dataclass(frozen=True, kw_only=True, slots=True)
class RandomSentences(SentenceWise, TextDefense):
    """Deletes sentences chosen by the key alone.

    Attributes:
        share: expected share of the reasoning's characters that goes; 0.15 where neither option is given.
        match: another method, as its name or as {"method": name, "option": value, …}: each trace then loses about as many
            characters as that method would take from it. The whole reasoning is needed first.
    """

    name: ClassVar[str] = "random-sentences"
    share: float | None = None
    match: str | Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        require_key(self.key)
        if self.match is None:
            object.__setattr__(self, "share", 0.15 if self.share is None else self.share)
            check_share(self.share)
        elif self.share is not None:
            raise BadOption("share", self.share, "left out where match is given")
        else:
            self._matched()

    @property
    def streams(self) -> bool:
        """Matching another method needs the whole reasoning."""
        return self.match is None

    def policy(self, trace_key: bytes) -> SentencePolicy:
        """The budget of one trace."""
        return BudgetPolicy(ShareBudget(self.share or 0.0, Choices(self.key, trace_key, self.name)))

    def begin(self, trace_key: bytes) -> Editor:
        """An editor for one trace that arrives in pieces."""
        if self.match is None:
            return SentenceWise.begin(self, trace_key)
        return WholeEditor(lambda text: self.edit(text, trace_key))

    def spans(self, text: str, trace_key: bytes) -> list[Span]:
        """The edits of a whole reasoning, as tuples."""
        if self.match is None:
            return SentenceWise.spans(self, text, trace_key)
        from antidistill.defenses.front import edit

        target = sum(edit.end - edit.start - len(edit.replacement) for edit in edit(self._matched(), text, trace_key))
        return as_spans(self._remove(text, trace_key, target))

    def _matched(self) -> Defense:
        from antidistill.defenses.front import make

        options = {"method": self.match} if isinstance(self.match, str) else dict(self.match or {})
        if "method" not in options:
            raise BadOption("match", self.match, "a method's name, or a mapping with 'method' and its options")
        return make(options.pop("method"), key=self.key, **options)

    def _remove(self, text: str, trace_key: bytes, target: int) -> list[Edit]:
        """Sentences in the key's order, each taken if that brings the total nearer to `target`; then cut in reading order."""
        starts, flags = survey(text, self.marker_table)
        starts.append(len(text))
        chosen: list[int] = []
        removed = 0
        for number in Choices(self.key, trace_key, self.name).order(len(flags)):
            length = starts[number + 1] - starts[number]
            if not flags[number] & (RAGGED | ITEM) and abs(target - removed - length) < target - removed:
                chosen.append(number)
                removed += length
        cuts = Cuts(text, reason=self.name)
        for number in sorted(chosen):
            cuts.cut(starts[number], starts[number + 1], starts[number + 1] == len(text))
        return cuts.close()


class BudgetPolicy(SentencePolicy):
    """Takes candidates by a share budget."""

    def __init__(self, budget: ShareBudget, mask: int = 0, value: int = 0) -> None:
        self.mask = mask
        self.value = value
        self._budget = budget

    def may_take(self, number: int, start: int) -> bool:
        """Decided by the key where the sentence starts."""
        return self._budget.chooses(number, start)

    def takes(self, number: int, start: int, end: int) -> bool:
        """The same decision, and the candidate counts as passed."""
        chosen = self._budget.chooses(number, start)
        self._budget.passed(end - start)
        return chosen
