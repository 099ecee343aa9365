"""The delimiters of all families of models, as a stream looks for them, and the pieces that a stream is cut into."""

from __future__ import annotations

import re
from typing import NamedTuple

from antidistill.text.thinking import DELIMITERS


class Segment(NamedTuple):
    """A decided piece of the text.

    Attributes:
        reasoning: part of the reasoning; else it passes as it is.
        text: the piece; may be empty where `ends`.
        ends: a block of reasoning ends here.
        mark: a delimiter, so no part of an answer.
    """

    reasoning: bool
    text: str
    ends: bool = False
    mark: bool = False

    @property
    def answers(self) -> bool:
        """Whether a client sees part of an answer."""
        return not (self.reasoning or self.mark) and self.text.strip() != ""


BY_OPENING = {d.opening.lower(): d for d in DELIMITERS}
OPENINGS = tuple(BY_OPENING)
SPECIAL = tuple(opening for opening in OPENINGS if opening.startswith("<|"))
IMPLIED = tuple(sign.lower() for d in DELIMITERS if d.implied for sign in d.closings)
QUOTES = frozenset("`'\"“”‘’«»")
LONGEST = max(map(len, (*OPENINGS, *(sign for d in DELIMITERS for sign in d.closings))))
FIRST = frozenset("<[◁")
"""What a delimiter starts with."""
ASCII_LOWER = {code: code + 32 for code in range(65, 91)}
"""`str.lower` may change the length of a text."""


def pattern(signs: tuple[str, ...]) -> re.Pattern[str]:
    """Finds any of these, in any capitals."""
    return re.compile("|".join(map(re.escape, signs)), re.IGNORECASE | re.ASCII)


OPENING = pattern(OPENINGS)
