"""Marker words: only the opening words go; the sentence stays and reads well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from antidistill.defenses.budget import check_count
from antidistill.defenses.seams import Cuts
from antidistill.defenses.sentences import SentencePolicy
from antidistill.defenses.text_defense import MarkerDefense, SentenceWise
from antidistill.text.markers import Markers, skip_openers
from antidistill.text.survey import MARKER
from antidistill.trace import Edit

_PAUSES = ",.…:;!?—–-，。！？、"
_DASHES = "–—-…"
_CLOSING_QUOTES = "\"'”’」』)）]"
_EMPHASIS = "*_"
_NEEDS_MARKER = frozenset(
    {"a", "an", "for", "until", "till", "about", "on", "up", "to", "if", "whether", "that", "this", "again"}
)
"""Words that a marker cannot leave behind at the start of a sentence ("wait for", "let me check if")."""
_MOST_MARKERS = 4
_OPERATORS = "=<>≤≥≈≠+*/^×÷"


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkerWords(SentenceWise, MarkerDefense):
    """Deletes the opening marker of a sentence and begins the rest with a capital letter.

    A sentence that is nothing but markers goes as a whole. A marker that the rest needs ("Wait for the bus") stays.

    Attributes:
        k: at most this many sentences; None for all of them.
    """

    name: ClassVar[str] = "marker-words"
    k: int | None = None

    def __post_init__(self) -> None:
        MarkerDefense.__post_init__(self)
        if self.k is not None:
            check_count("k", self.k)

    def policy(self, trace_key: bytes) -> SentencePolicy:
        """The budget of one trace."""
        return _Words(self.k, self.name, self.marker_table)


class _Words(SentencePolicy):
    mask = value = MARKER

    def __init__(self, k: int | None, reason: str, markers: Markers) -> None:
        self._left = k
        self._reason = reason
        self._markers = markers

    def may_take(self, number: int, start: int) -> bool:
        return self._left is None or self._left > 0

    def takes(self, number: int, start: int, end: int) -> bool:
        return self._left is None or self._left > 0

    def took(self, start: int, end: int) -> None:
        if self._left is not None:
            self._left -= 1

    def apply(self, cuts: Cuts, start: int, end: int, sentence_flags: int, last: bool) -> None:
        sentence = cuts.text[start - cuts.base : end - cuts.base]
        words_start, words_end = opening_words(sentence, self._markers)
        if words_end == 0 or cuts.in_code(start + words_start):
            return
        if not any(character.isalnum() for character in sentence[words_end:]):
            super().apply(cuts, start, end, sentence_flags, last)
            return
        capital = _capital(sentence, words_start, words_end)
        cuts.replace(Edit(start + words_start, start + words_end + len(capital), capital, self._reason))
        self.took(start, end)


def _capital(sentence: str, words_start: int, words_end: int) -> str:
    """The capital that replaces the first letter of the rest; "" where that letter stays (x, pH, a digit)."""
    first, second = sentence[words_end], sentence[words_end + 1 : words_end + 2]
    marker_letter = next(character for character in sentence[words_start:words_end] if character.isalpha())
    is_name = second.isupper() or (not second.isalpha() and first not in "ai") or _is_variable(sentence, words_end)
    if is_name or not marker_letter.isupper() or not first.islower() or len(first.upper()) != 1:
        return ""
    return first.upper()


def _is_variable(sentence: str, start: int) -> bool:
    """True if one letter and an operator stand at `start` ("a = 1")."""
    behind = _skip(sentence, start + 1, " ")
    return sentence[behind : behind + 1] in _OPERATORS and behind < len(sentence)


def opening_words(sentence: str, markers: Markers) -> tuple[int, int]:
    """Span of the opening markers of a sentence that can do without them; (0, 0) where it cannot.

    The span takes in what follows the words: emphasis that closes, pauses, white space.
    """
    start = skip_openers(sentence, 0)
    while start and sentence[start - 1] in _EMPHASIS:
        start -= 1
    end = 0
    for _ in range(_MOST_MARKERS):
        marker_end = markers.opening(sentence, end)
        after = _behind(sentence, marker_end, end) if marker_end else 0
        if not after:
            break
        end = after
    emphasis = _open_emphasis(sentence, start, end)
    return (start + emphasis, end) if end else (0, 0)


def _behind(sentence: str, marker_end: int, marker_start: int) -> int:
    """Where the sentence goes on behind a marker; 0 if it cannot do without the marker."""
    here = _skip(sentence, marker_end, _EMPHASIS)
    paused = _skip(sentence, here, _PAUSES)
    if sentence[paused : paused + 1] in _CLOSING_QUOTES and paused < len(sentence):
        return 0
    following = _skip(sentence, paused, " \t\n")
    dash = _skip(sentence, following, _DASHES)
    if dash > following and sentence[dash : dash + 1].isspace():
        return _skip(sentence, dash, " \t\n")
    if paused == here:
        word_end = following
        while word_end < len(sentence) and sentence[word_end].isalpha():
            word_end += 1
        is_phrase = " " in sentence[marker_start:marker_end].strip(" \t\n")
        if is_phrase or sentence[following:word_end].lower() in _NEEDS_MARKER:
            return 0
    return following


def _open_emphasis(sentence: str, start: int, end: int) -> int:
    """Length of the emphasis marks at `start` that are not closed before `end`: they stay."""
    marks = _skip(sentence, start, _EMPHASIS) - start
    span = sentence[start:end]
    return marks if marks and span.count(span[:marks]) % 2 else 0


def _skip(text: str, here: int, characters: str) -> int:
    while here < len(text) and text[here] in characters:
        here += 1
    return here
