"""Shape of sentences and paragraphs: how long they are, how they end, and how they follow each other."""

from __future__ import annotations

import numpy as np

from antidistill.measure.features.summary import binned, quantiles, share, spread
from antidistill.measure.features.view import Values, View


def shape(view: View) -> dict[str, float]:
    """Lengths of sentences and paragraphs, their ends and the steps between neighbours."""
    return {**_sentences(view), **_ends(view), **_paragraphs(view)}


def _sentences(view: View) -> dict[str, float]:
    lengths = view.lengths
    steps = np.abs(np.diff(np.log1p(lengths)))
    return {
        **spread("length", lengths),
        **quantiles("length", lengths),
        **spread("step", steps),
        **binned("length", view.places, lengths, 5),
        "short": share(lengths < 25),
        "long": share(lengths > 150),
    }


def _ends(view: View) -> dict[str, float]:
    last = [sentence[-1] for sentence in view.sentences]
    values = {f"end_{name}": share(end == mark for end in last) for name, mark in _MARKS.items()}
    asks = np.array([end == "?" for end in last])
    values |= binned("asks", view.places, asks.astype(float), 5)
    values["asks_twice"] = share(asks[1:] & asks[:-1]) if asks.size > 1 else 0.0
    values["lower_start"] = share(sentence[0].islower() for sentence in view.sentences)
    return values


def _paragraphs(view: View) -> dict[str, float]:
    sizes = paragraph_sizes(view)
    return {
        **spread("paragraph", sizes),
        **quantiles("paragraph", sizes),
        "paragraph_single": share(sizes == 1),
        "paragraph_first": float(sizes[0]) if sizes.size else 0.0,
        "paragraph_last": float(sizes[-1]) if sizes.size else 0.0,
        **binned("leads", view.places, view.leads.astype(float), 5),
        "lead_length": float(view.lengths[view.leads].mean()) if sizes.size else 0.0,
        "opening_length": float(view.lengths[0]) if sizes.size else 0.0,
        "closing_length": float(view.lengths[-1]) if sizes.size else 0.0,
    }


def paragraph_sizes(view: View) -> Values:
    """Sentences of each paragraph."""
    starts = np.flatnonzero(view.leads)
    return np.diff(np.append(starts, len(view.sentences))).astype(np.float64)


_MARKS = {"stop": ".", "question": "?", "exclamation": "!", "colon": ":", "comma": ",", "bracket": ")", "bold": "*"}
