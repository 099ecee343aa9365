"""A defense of a third party: marker sentences are shouted."""

from dataclasses import dataclass

from antidistill.defenses.sentences import SentencePolicy
from antidistill.defenses.text_defense import MarkerDefense, SentenceWise
from antidistill.text.survey import MARKER
from antidistill.trace import Edit


@dataclass(frozen=True, kw_only=True, slots=True)
class Shouting(SentenceWise, MarkerDefense):
    """Writes marker sentences in capital letters.

    Attributes:
        most: at most this many sentences.
    """

    name = "shouting"
    most: int = 3

    def policy(self, trace_key: bytes) -> SentencePolicy:
        """Counts down from `most`."""
        return _Shout(self.most)


class _Shout(SentencePolicy):
    mask = value = MARKER

    def __init__(self, most: int) -> None:
        self._left = most

    def may_take(self, number: int, start: int) -> bool:
        return self._left > 0

    def takes(self, number: int, start: int, end: int) -> bool:
        return self._left > 0

    def apply(self, cuts, start, end, sentence_flags, last):
        sentence = cuts.text[start - cuts.base : end - cuts.base].rstrip()
        cuts.replace(Edit(start, start + len(sentence), sentence.upper(), "shouting"))
        self._left -= 1
