"""Where the markers stand: rate, first and last place, gaps, and how they sit in paragraphs."""

from __future__ import annotations

import math

import numpy as np

from antidistill.measure.features.summary import ABSENT, binned, share, spread
from antidistill.measure.features.view import View


def marker_rate(view: View) -> dict[str, float]:
    """Share of the sentences that open with a marker."""
    return {"rate": share(view.marked)}


def marker_gaps(view: View) -> dict[str, float]:
    """Places of the markers (in sentences and as shares of the text) and the gaps between them."""
    at = np.flatnonzero(view.marked)
    gaps = np.diff(at).astype(np.float64)
    total = max(len(view.sentences), 1)
    return {
        **spread("gap", gaps),
        "gap_min": float(gaps.min()) if gaps.size else ABSENT,
        "gap_one": share(gaps == 1),
        "gap_longest_share": float(gaps.max()) / total if gaps.size else ABSENT,
        "first": math.log1p(at[0]) if at.size else math.log1p(total),
        "first_place": float(view.places[at[0]]) if at.size else 1.0,
        "last": math.log1p(total - at[-1]) if at.size else math.log1p(total),
        "last_place": float(view.places[at[-1]]) if at.size else ABSENT,
        "mean_place": float(view.places[at].mean()) if at.size else ABSENT,
        "rate_before": share(view.marked[: at[0] + 1]) if at.size else 0.0,
        "rate_after_first": share(view.marked[at[0] :]) if at.size else 0.0,
        **binned("rate", view.places, view.marked.astype(float), 10),
    }


def marker_seats(view: View) -> dict[str, float]:
    """How markers sit in paragraphs and how long their sentences and branches are."""
    at = np.flatnonzero(view.marked)
    branches = np.diff(np.append(at, len(view.sentences))).astype(np.float64)
    return {
        "count": math.log1p(at.size),
        "leading": share(view.leads[at]),
        "of_leads": share(view.marked[view.leads]),
        "of_inner": share(view.marked[~view.leads]),
        **spread("length", view.lengths[at]),
        **spread("branch", branches),
        "before_question": share(view.sentences[i - 1].endswith("?") for i in at.tolist() if i),
        "asks": share(view.sentences[i].endswith("?") for i in at.tolist()),
    }
