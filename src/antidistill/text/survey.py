"""What the defenses ask of every sentence, in one pass: where it starts and a byte of flags.

This is the definition; `_survey.h` holds the same rules for speed, and a test proves both equal.
"""

from __future__ import annotations

from string import ascii_letters

from antidistill.text.markers import Markers
from antidistill.text.scan import scan

MARKER = 1
"""The sentence opens with a marker."""
EQUATION = 2
"""The sentence carries an equation (`=` or `≈`) and is no fenced code."""
RAGGED = 4
"""Brackets, quote marks or bold marks open in the sentence and close elsewhere, or the other way round."""
ITEM = 8
"""The sentence opens an item that is numbered or lettered (`2.`, `(b)`), or a step (`Step 3:`, `Day 4:`): a gap without it."""
BULLET = 16
"""The sentence opens an item that only a bullet marks."""

_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("“", "”"), ("（", "）"), ("「", "」"))
_DIGITS = "0123456789"
_ITEM_OPENERS = " \t\r\n>*_#"
BULLETS = "-*+•–"
_STEPS = ("step", "case", "part")
_ASCII_LETTERS = frozenset(ascii_letters)
_LONGEST_NAME = 12


def survey(text: str, markers: Markers) -> tuple[list[int], bytes]:
    """Sentence starts of `text` and the flags of each sentence.

    Returns:
        starts: ascending offsets, the first one 0; empty for an empty text.
        flags: one byte per sentence.
    """
    if not text:
        return [], b""
    starts = [0, *scan(text, 0, True)[0]]
    ends = [*starts[1:], len(text)]
    return starts, bytes(flags(text, start, end, markers) for start, end in zip(starts, ends, strict=True))


def candidates(text: str, markers: Markers, mask: int, value: int) -> list[tuple[int, int, int, int]]:
    """The sentences with `flags & mask == value`, each as (number, start, end, flags); `mask` 0 takes all."""
    starts, sentence_flags = survey(text, markers)
    ends = [*starts[1:], len(text)]
    return [
        (number, starts[number], ends[number], flag)
        for number, flag in enumerate(sentence_flags)
        if flag & mask == value
    ]


def flags(text: str, start: int, end: int, markers: Markers) -> int:
    """Flags of the sentence `text[start:end]`."""
    sentence = text[start:end]
    return (
        (MARKER if markers.opening(sentence) else 0)
        | (EQUATION if ("=" in sentence or "≈" in sentence) and "```" not in sentence else 0)
        | (RAGGED if is_ragged(sentence) else 0)
        | (ITEM if is_item(sentence) else 0)
        | (BULLET if is_bullet(sentence) else 0)
    )


def is_ragged(text: str) -> bool:
    """True if brackets, quote marks or bold marks are not balanced within `text` (by count)."""
    if any(text.count(opening) != text.count(closing) for opening, closing in _PAIRS):
        return True
    return text.count('"') % 2 == 1 or text.count("**") % 2 == 1


def is_bullet(sentence: str) -> bool:
    """True if the sentence opens with a bullet and white space."""
    head = sentence.lstrip(" \t\r\n>")
    return head[:1] in BULLETS and head[1:2].isspace()


def is_item(sentence: str) -> bool:
    """True if the sentence opens with a list number, a letter in its place, or the name and number of a step."""
    head = sentence.lstrip(_ITEM_OPENERS)
    if head[:1] in BULLETS and head[1:2].isspace():
        head = head[1:].lstrip(_ITEM_OPENERS)
    return _is_label(head) or _is_step(head)


def _is_label(head: str) -> bool:
    """True at `2.`, `12)`, `3:`, `b)`, `A.` and `(b)` before white space."""
    bracket = head.startswith("(")
    digits = _digits_end(head, bracket)
    is_number = digits > bracket
    if not is_number and head[digits : digits + 1].isascii() and head[digits : digits + 1].isalpha():
        digits += 1
    mark = head[digits : digits + 1]
    fits = mark == ")" or (not bracket and (mark == "." or (mark == ":" and is_number)))
    return 0 < digits - bracket <= 2 and fits and head[digits + 1 : digits + 2].isspace()


def _is_step(head: str) -> bool:
    """True at a name, a number and a colon (`Day 4:`), and at `Step 3` before what ends a heading: a mark, emphasis, a dash."""
    letters = 0
    while letters <= _LONGEST_NAME and head[letters : letters + 1] in _ASCII_LETTERS:
        letters += 1
    number = letters + (head[letters : letters + 1] == " ")
    end = _digits_end(head, number)
    if not 0 < letters <= _LONGEST_NAME or not 0 < end - number <= 2:
        return False
    following = head[end : end + 1]
    if following == ":" or head[:letters].lower() not in _STEPS:
        return following == ":"
    if following == " ":
        return head[end + 1 : end + 2] in {"-", "–", "—", ":", "("}
    return following in {".", ")", "*", "_", "\n", "\r", ""}


def _digits_end(text: str, here: int) -> int:
    while here < len(text) and text[here] in _DIGITS:
        here += 1
    return here
