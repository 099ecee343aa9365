"""The share of highest scores as an online rule: a sentence is compared with what the trace has shown so far."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from antidistill.defenses.choices import Choices

_EACH = 1
"""Characters of imagined text in each part of the scale: the first sentences are compared with the text of the training."""
_MEMORY = 1000
"""Characters after which what was seen counts half: scores fall along a trace, and each part of it is to lose its share."""
_CATCHING_UP = 1000
"""Characters over which a share that was missed so far is made up for."""


class QuantileBudget:
    """Chooses sentences by score so that the removed share of the text comes out at `share`.

    The scale of scores is cut into parts; the characters of each part are counted. Let q be the share of them that is above a
    sentence. Up to half of the wanted share the sentence goes; from there to one and a half of it the key decides, with a
    falling chance, so that nobody without the key can tell where the border was. What was missed before, because a cut would
    have told or scores fell along the trace, is made up for. Nothing behind the sentence is looked at.

    Args:
        share: of the characters, in (0, 1].
        choices: the numbers of the trace.
        edges: ascending scores between the parts; in the text they come from, every part is equally long.
    """

    __slots__ = ("_choices", "_edges", "_mass", "_removed", "_share", "_total")

    def __init__(self, share: float, choices: Choices, edges: Sequence[float]) -> None:
        self._share = share
        self._choices = choices
        self._edges = edges
        self._mass = [_EACH] * (len(edges) + 1)
        self._total = _EACH * len(self._mass)
        self._removed = 0

    def chooses(self, number: int, start: int, score: float) -> bool:
        """True if sentence `number`, which starts at offset `start`, is to go."""
        part = bisect_right(self._edges, score)
        wanted = self._share + (self._share * start - self._removed) / _CATCHING_UP
        above = (sum(self._mass[part + 1 :]) + self._mass[part] / 2) / self._total
        return self._choices.uniform(number) * wanted < 1.5 * wanted - above

    def passed(self, score: float, length: int) -> None:
        """Tells that a sentence of `length` characters that could be chosen is over."""
        self._mass[bisect_right(self._edges, score)] += length
        self._total += length
        if self._total > _MEMORY:
            self._mass = [mass // 2 for mass in self._mass]
            self._total = sum(self._mass)

    def removed(self, length: int) -> None:
        """Tells that so many characters are gone."""
        self._removed += length
