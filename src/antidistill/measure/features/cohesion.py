"""Cohesion: how much neighbouring sentences share, which falls where sentences between them are missing."""

from __future__ import annotations

import numpy as np

from antidistill.measure.features.summary import quantiles, share
from antidistill.measure.features.view import Values, View

_COMMON = frozenset(
    "the a an of to and or is are was be that this it in for on so but if then i we he she they you let's let me as at "
    "by from with which what not no yes do does can there".split()
)


def cohesion(view: View) -> dict[str, float]:
    """Overlap of content words between sentences one and two apart, by the kind of the sentence, and word novelty."""
    content = [frozenset(words) - _COMMON for words in view.words]
    near, far = _overlaps(content, 1), _overlaps(content, 2)
    marked, leads = view.marked[1:], view.leads[1:]
    novelty = _novelty(view, content)
    return {
        **quantiles("near", near),
        "near_mean": _mean(near),
        "far_mean": _mean(far),
        "near_none": share(near == 0),
        "near_to_far": _mean(near) - _mean(far),
        "near_marked": _mean(near[marked]),
        "near_behind_marked": _mean(near[view.marked[:-1]]) if near.size else 0.0,
        "near_plain": _mean(near[~marked & ~leads]),
        "near_lead": _mean(near[leads]),
        "novelty": _mean(novelty),
        "novelty_early": _mean(novelty[view.places < 0.3]),
        "novelty_late": _mean(novelty[view.places > 0.6]),
    }


def _overlaps(content: list[frozenset[str]], apart: int) -> Values:
    pairs = zip(content, content[apart:], strict=False)
    return np.array([len(a & b) / max(min(len(a), len(b)), 1) for a, b in pairs], dtype=np.float64)


def _novelty(view: View, content: list[frozenset[str]]) -> Values:
    known = {word.lower() for word in view.trace.prompt.split()}
    shares = []
    for words in content:
        shares.append(len(words - known) / max(len(words), 1))
        known |= words
    return np.array(shares, dtype=np.float64)


def _mean(values: Values) -> float:
    return float(values.mean()) if values.size else 0.0
