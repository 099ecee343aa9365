"""Characters: classes, punctuation, and the white space that cuts can leave behind."""

from __future__ import annotations

from collections import Counter
from string import ascii_lowercase, ascii_uppercase, digits

from antidistill.measure.features.summary import share
from antidistill.measure.features.view import View

_PUNCTUATION = ".,?!:;=+*/()-'\"$\\%#{}[]|<>^_×"
_CLASSES = {"letters": ascii_lowercase, "upper": ascii_uppercase, "digits": digits, "spaces": " ", "newlines": "\n"}


def surface(view: View) -> dict[str, float]:
    """Rates per character of character classes, and shares of the kinds of gaps between sentences."""
    text = view.trace.reasoning
    size = max(len(text), 1)
    counts = Counter(text)
    rates = {f"char_{mark}": counts[mark] / size for mark in _PUNCTUATION}
    rates |= {name: sum(counts[char] for char in members) / size for name, members in _CLASSES.items()}
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
