"""What the defenses ask of every sentence, in one pass: where it starts and a byte of flags.

This is the definition; `_survey.h` holds the same rules for speed, and a test proves both equal.
"""

from __future__ import annotations

from antidistill.text.markers import Markers
from antidistill.text.scan import scan

MARKER = 1
"""The sentence opens with a marker."""
EQUATION = 2
"""The sentence carries an equation (`=` or `≈`) and is no fenced code."""
RAGGED = 4
"""Brackets, quote marks or bold marks open in the sentence and close elsewhere, or the other way round."""
ITEM = 8
"""The sentence is an item of a numbered list."""

_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("“", "”"), ("（", "）"), ("「", "」"))
_DIGITS = "0123456789"


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
        | (ITEM if list_number(sentence) else 0)
    )


def is_ragged(text: str) -> bool:
    """True if brackets, quote marks or bold marks are not balanced within `text` (by count)."""
    if any(text.count(opening) != text.count(closing) for opening, closing in _PAIRS):
        return True
    return text.count('"') % 2 == 1 or text.count("**") % 2 == 1


def list_number(sentence: str) -> int:
    """The number of the numbered list item that the sentence opens with (1 to 99), or 0."""
    head = sentence.lstrip(" \t\r\n>*_#")
    digits = 0
    while digits < len(head) and head[digits] in _DIGITS:
        digits += 1
    if 0 < digits <= 2 and head[digits : digits + 1] in {".", ")"} and head[digits + 1 : digits + 2].isspace():
        return int(head[:digits])
    return 0
