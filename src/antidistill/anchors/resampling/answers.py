r"""The final answer of a continuation: what stands in its last \boxed{}, or behind its last "the answer is"."""

from __future__ import annotations

import re
from fractions import Fraction

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_SAID = re.compile(r"\banswers?\s*(?:\*\*)?\s*(?:is|are|:|=)\s*:?\s*(?:\*\*)?\s*([^\n]+)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)")
_DROPPED = re.compile(r"\\[,;:! ]|\\(?:left|right)\b|\$|\\%|%|\*\*|\s+")
_TEXT = re.compile(r"\\(?:text|mathrm|mbox)\s*\{([^{}]*)\}")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_FRACTION = re.compile(r"\\[dt]?frac\{(-?\d+)\}\{(\d+)\}")


def final_answer(text: str) -> str | None:
    """The answer of a continuation, normalised; what stands behind a closing think tag counts first. None where there is none."""
    visible = text.rpartition("</think>")[2]
    for part in (visible, text):
        boxed = [
            inside for inside in (_closed(part, match.end()) for match in _BOX.finditer(part)) if inside is not None
        ]
        if boxed:
            return normalised(boxed[-1])
    said = _SAID.findall(visible)
    return normalised(_SENTENCE_END.split(said[-1])[0]) if said else None


def forced_answer(text: str) -> str | None:
    r"""The answer of a continuation that was begun with "\boxed{"; None where the brace is never closed."""
    inside = _closed(text, 0)
    return None if inside is None else normalised(inside)


def normalised(answer: str) -> str | None:
    """An answer without spaces, dollar signs and other dress; numbers in one form. None where nothing is left."""
    plain = _DROPPED.sub("", _THOUSANDS.sub("", _TEXT.sub(r"\1", answer)))
    plain = _FRACTION.sub(r"\1/\2", plain).replace("{", "(").replace("}", ")").strip(".,;:")
    plain = plain[1:-1] if re.fullmatch(r"\([^()]*\)", plain) and "," not in plain else plain
    try:
        return str(Fraction(plain))
    except (ValueError, ZeroDivisionError):
        return plain.lower() or None


def is_same(answer: str | None, gold: str) -> bool:
    """Whether an answer, normalised or not, is the right one by its normalised text."""
    return answer is not None and normalised(answer) == normalised(gold)


def _closed(text: str, start: int) -> str | None:
    """What stands between `start` and the brace that closes there; None where none does."""
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[start:place]
    return None
