"""Characters: classes, punctuation, and the white space that cuts can leave behind."""

from __future__ import annotations

import re
from collections import Counter

from antidistill.measure.features.summary import share
from antidistill.measure.features.view import View

_PUNCTUATION = ".,?!:;=+*/()-'\"$\\%#{}[]|<>^_×"
_LETTERS = re.compile(r"[a-z]")
_UPPER = re.compile(r"[A-Z]")
_DIGITS = re.compile(r"\d")


def surface(view: View) -> dict[str, float]:
    """Rates per character of character classes, and shares of the kinds of gaps between sentences."""
    text = view.trace.reasoning
    size = max(len(text), 1)
    counts = Counter(text)
    rates = {f"char_{mark}": counts[mark] / size for mark in _PUNCTUATION}
    rates["letters"] = len(_LETTERS.findall(text)) / size
    rates["upper"] = len(_UPPER.findall(text)) / size
    rates["digits"] = len(_DIGITS.findall(text)) / size
    rates["spaces"] = counts[" "] / size
    rates["newlines"] = counts["\n"] / size
    rates["other"] = sum(count for char, count in counts.items() if ord(char) > 127) / size
    return rates | _gaps(view)


def _gaps(view: View) -> dict[str, float]:
    inner = view.gaps[:-1]
    return {
        "gap_space": share(gap == " " for gap in inner),
        "gap_line": share(gap == "\n" for gap in inner),
        "gap_blank": share(gap == "\n\n" for gap in inner),
        "gap_padded": share(gap == " \n\n" for gap in inner),
        "gap_none": share(not gap for gap in inner),
        "gap_tall": share(gap.count("\n") > 2 for gap in inner),
        "gap_wide": share("  " in gap for gap in inner),
        "gap_last": float(len(view.gaps[-1])) if view.gaps else 0.0,
    }
