"""Steps: deletes sentences outside marker sentences that carry an equation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from antidistill.defenses.budget import ShareBudget, check_share
from antidistill.defenses.choices import Choices, require_key
from antidistill.defenses.random_sentences import BudgetPolicy
from antidistill.defenses.sentences import SentencePolicy
from antidistill.defenses.text_defense import MarkerDefense, SentenceWise
from antidistill.text.survey import EQUATION, MARKER


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps(SentenceWise, MarkerDefense):
    """Deletes sentences with an equation, chosen by the key.

    Attributes:
        share: expected share of the reasoning's characters that goes, as far as such sentences are there.
    """

    name: ClassVar[str] = "steps"
    share: float = 0.1

    def __post_init__(self) -> None:
        MarkerDefense.__post_init__(self)
        require_key(self.key)
        check_share(self.share)

    def policy(self, trace_key: bytes) -> SentencePolicy:
        """The budget of one trace."""
        budget = ShareBudget(self.share, Choices(self.key, trace_key, self.name))
        return BudgetPolicy(budget, MARKER | EQUATION, EQUATION)
