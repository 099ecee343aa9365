"""A share of the reasoning as an online rule: decided where a unit starts, from what precedes it."""

from __future__ import annotations

from antidistill.defenses.choices import Choices
from antidistill.errors import BadOption

_PRIOR = 300
"""Characters of imagined text in which every unit could be chosen; keeps the first chances near the share."""


class ShareBudget:
    """Chooses units by the key so that the expected removed share of the text is `share`.

    The chance of a unit is `share` times the text so far over the text so far that could have been chosen, so text that may
    not go (what precedes the first marker, say) is made up for. It does not depend on the unit's own length nor on earlier
    choices: a stream decides at the unit's first words, and no pattern of gaps arises.
    """

    __slots__ = ("_choices", "_eligible", "_share")

    def __init__(self, share: float, choices: Choices) -> None:
        self._share = share
        self._choices = choices
        self._eligible = 0

    def chooses(self, number: int, start: int) -> bool:
        """True if the unit `number`, which starts at offset `start`, is to go."""
        chance = self._share * (start + _PRIOR) / (self._eligible + _PRIOR)
        return self._choices.uniform(number) < chance

    def passed(self, length: int) -> None:
        """Tells that a unit of `length` characters that could be chosen is over."""
        self._eligible += length


def check_share(share: object) -> None:
    """Raises BadOption unless `share` is a number in (0, 1]."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        raise BadOption(
            "share", share, "a number above 0 and up to 1: the share of the reasoning's characters that may go"
        )


def check_count(option: str, count: object) -> None:
    """Raises BadOption unless `count` is a whole number of at least 1."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise BadOption(option, count, "a whole number of at least 1")
