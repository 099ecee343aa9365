"""Repetition: distinct n-grams, repeated sentences, and how well the text compresses."""

from __future__ import annotations

import zlib
from collections import Counter
from itertools import chain

from antidistill.measure.features.view import View


def repetition(view: View) -> dict[str, float]:
    """Share of distinct n-grams (n = 1 to 4), of sentences said before, and the compression ratio (0 to 1, low = repetitive)."""
    words = list(chain.from_iterable(view.words))
    raw = view.trace.reasoning.encode("utf-8", "surrogatepass")
    sentences = Counter(" ".join(found) for found in view.words)
    return {
        **{f"distinct_{n}": _distinct(words, n) for n in (1, 2, 3, 4)},
        "said_before": 1 - len(sentences) / max(len(view.sentences), 1),
        "most_said": max(sentences.values(), default=0) / max(len(view.sentences), 1),
        "compressed": len(zlib.compress(raw, 1)) / max(len(raw), 1),
    }


def _distinct(words: list[str], n: int) -> float:
    grams = list(zip(*(words[start:] for start in range(n)), strict=False))
    return len(set(grams)) / max(len(grams), 1)
