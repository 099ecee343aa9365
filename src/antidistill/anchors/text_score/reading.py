"""What the text score sees of a sentence, in the order of reading: nothing behind the sentence is looked at."""

from __future__ import annotations

import re
from math import log1p, sqrt

_TOKEN = re.compile(r"[a-z']+|[=?]|\d+").findall
_CUES = (
    frozenset(("check", "verify", "verified", "confirm", "double", "sure", "test", "plug", "substitute", "correct")),
    frozenset(("answer", "boxed", "therefore", "final", "conclude")),
    frozenset(("wait", "hmm", "maybe", "perhaps", "confused", "confusing", "mistake", "wrong", "actually")),
    frozenset(("need", "should", "try", "first", "next", "another", "approach", "alternatively")),
    frozenset(("formula", "remember", "recall", "know", "given", "definition", "theorem", "means", "problem")),
    frozenset("="),
)
_SHORT, _LONG = 0.7, 0.93
"""What is left of a cue one sentence later."""
MEASURES = 7 + 3 * len(_CUES)
"""How many measures a sentence has."""


class Reading:
    """Reads one reasoning sentence by sentence and keeps what later sentences are measured against."""

    __slots__ = ("_long", "_opens", "_seen", "_short")

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._short = [0.0] * len(_CUES)
        self._long = [0.0] * len(_CUES)
        self._opens = 1.0

    def read(self, sentence: str) -> tuple[list[str], list[float]]:
        """The words of the next sentence, and its measures (`MEASURES` numbers).

        They are: length, numbers, share and count of new words, whether it opens a paragraph, question mark, share of numbers;
        then the cues (checking, answer, doubt, plan, fact, equation) of this sentence, and those of the sentences before it,
        decayed fast and slowly.
        """
        words = _TOKEN(sentence.lower())
        different = set(words)
        fresh = different - self._seen
        self._seen |= fresh
        numbers = sum(map(str.isdigit, words))
        cues = [0.0 if cue.isdisjoint(different) else 1.0 for cue in _CUES]
        size = len(different)
        new = len(fresh)
        measures = [
            log1p(len(sentence)),
            sqrt(numbers),
            new / size if size else 0.0,
            sqrt(new),
            self._opens,
            1.0 if "?" in different else 0.0,
            numbers / len(words) if words else 0.0,
            *cues,
            *self._short,
            *self._long,
        ]
        self._short = [_SHORT * old + (1 - _SHORT) * cue for old, cue in zip(self._short, cues, strict=True)]
        self._long = [_LONG * old + (1 - _LONG) * cue for old, cue in zip(self._long, cues, strict=True)]
        self._opens = 1.0 if sentence.endswith("\n\n") else 0.0
        return words, measures
