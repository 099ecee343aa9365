"""How long the trace is, in characters, words, sentences and paragraphs."""

from __future__ import annotations

import math

from antidistill.measure.features.view import View


def length(view: View) -> dict[str, float]:
    """Logarithms of the four counts, so that a share removed is a constant shift."""
    return {
        "characters": math.log1p(len(view.trace.reasoning)),
        "words": math.log1p(sum(map(len, view.words))),
        "sentences": math.log1p(len(view.sentences)),
        "paragraphs": math.log1p(int(view.leads.sum())),
    }
