"""Which words open sentences and paragraphs, and how varied they are."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np

from antidistill.measure.features.summary import binned
from antidistill.measure.features.view import View

_SENTENCE = (
    "wait hmm alternatively alright actually hold maybe perhaps okay ok yes no yeah yep right well oh but so and or "
    "then therefore thus hence because since if when now first second third next finally also another let let's that "
    "that's this these it it's there the each in for to we i i'm he she they you given however therefore, looking "
    "adding total similarly starting step which what is does can just same after before from as not using both all "
    "check double verify unless suppose think once again here's here one two"
).split()
_PARAGRAPH = (
    "wait hmm alternatively alright actually but so then therefore let first now okay the if that since".split()
)
_TRACKED = ("but", "so", "let", "wait", "hmm", "then", "therefore", "first")


def openers(view: View) -> dict[str, float]:
    """Rate of each known opening word, of sentences and of paragraphs, and the entropy of all of them in bits."""
    words = view.openers
    leads = [word for word, leads in zip(words, view.leads, strict=True) if leads]
    return {
        **_rates("sentence", words, _SENTENCE),
        **_rates("paragraph", leads, _PARAGRAPH),
        **_tracked(view),
        "entropy": _entropy(words),
        "lead_entropy": _entropy(leads),
        "kinds": len(set(words)) / math.sqrt(max(len(words), 1)),
        "repeated": float(np.mean([a == b for a, b in pairwise(words)])) if len(words) > 1 else 0.0,
    }


def _rates(name: str, words: list[str], known: list[str]) -> dict[str, float]:
    counts = Counter(words)
    return {f"{name}_{word}": counts[word] / max(len(words), 1) for word in known}


def _tracked(view: View) -> dict[str, float]:
    values: dict[str, float] = {}
    for word in _TRACKED:
        here = np.array([opener == word for opener in view.openers])
        values[f"{word}_first"] = float(view.places[here.argmax()]) if here.any() else 1.0
        values |= binned(word, view.places, here.astype(float), 3)
    return values


def _entropy(words: list[str]) -> float:
    if not words:
        return 0.0
    shares = np.array(list(Counter(words).values())) / len(words)
    return float(-(shares * np.log2(shares)).sum())
