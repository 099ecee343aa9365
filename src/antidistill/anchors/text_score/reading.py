"""What the text score sees of a sentence, in the order of reading: nothing behind the sentence is looked at."""

from __future__ import annotations

import re
from math import log1p, sqrt

_words = re.compile(r"[a-z']+|[=?]|\d+").findall
CUES = {
    "checking": frozenset("check verify verified confirm double sure test plug substitute correct".split()),
    "answer": frozenset("answer boxed therefore final conclude".split()),
    "doubt": frozenset("wait hmm maybe perhaps confused confusing mistake wrong actually".split()),
    "plan": frozenset("need should try first next another approach alternatively".split()),
    "fact": frozenset("formula remember recall know given definition theorem means problem".split()),
    "equation": frozenset("="),
}
"""Words that hint at what a sentence does, by name of the hint."""
_FAST, _SLOW = 0.7, 0.93
"""What is left of a cue one sentence later."""
MEASURES = (
    *("length", "numbers", "share of new words", "new words", "opens a paragraph", "question", "share of numbers"),
    *CUES,
    *(f"{cue}, just before" for cue in CUES),
    *(f"{cue}, long before" for cue in CUES),
)
"""Names of what `Reading.read` returns, in order."""


class Reading:
    """Reads one reasoning sentence by sentence and keeps what later sentences are measured against."""

    __slots__ = ("_fast", "_opens", "_seen", "_slow")

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._fast = [0.0] * len(CUES)
        self._slow = [0.0] * len(CUES)
        self._opens = 1.0

    def read(self, sentence: str) -> list[float]:
        """The measures of the next sentence, white space behind it included: one number for each of `MEASURES`."""
        words = _words(sentence.lower())
        different = set(words)
        fresh = different - self._seen
        self._seen |= fresh
        numbers, new = sum(map(str.isdigit, words)), len(fresh)
        cues = [0.0 if cue.isdisjoint(different) else 1.0 for cue in CUES.values()]
        measures = [
            log1p(len(sentence)),
            sqrt(numbers),
            new / len(different) if different else 0.0,
            sqrt(new),
            self._opens,
            1.0 if "?" in different else 0.0,
            numbers / len(words) if words else 0.0,
            *cues,
            *self._fast,
            *self._slow,
        ]
        self._fast = [_FAST * old + (1 - _FAST) * cue for old, cue in zip(self._fast, cues, strict=True)]
        self._slow = [_SLOW * old + (1 - _SLOW) * cue for old, cue in zip(self._slow, cues, strict=True)]
        self._opens = 1.0 if sentence.endswith("\n\n") else 0.0
        return measures
