"""Numbers that summarise token losses: of the whole text, and of the first tokens of its sentences."""

from __future__ import annotations

import numpy as np

from antidistill.measure.features.summary import ABSENT
from antidistill.measure.intervals import Values
from antidistill.measure.likelihood import Losses
from antidistill.text import split

_PERCENTILES = (10, 25, 50, 75, 90, 97)
_HEADS = (1, 2, 3, 5, 8)
_PARTS = 3


def loss_features(losses: Losses) -> Values:
    """Mean, standard deviation, percentiles, share of surprising tokens, and the mean in each third, in nats."""
    nats = losses.nats
    if not nats.size:
        return np.zeros(4 + len(_PERCENTILES) + _PARTS)
    thirds = [part.mean() if part.size else nats.mean() for part in np.array_split(nats, _PARTS)]
    whole = [nats.mean(), nats.std(), (nats > 3).mean(), (nats > 6).mean()]
    return np.array([*whole, *np.percentile(nats, _PERCENTILES), *thirds])


def seam_features(text: str, losses: Losses) -> Values:
    """Losses of the first 1, 2, 3, 5 and 8 tokens of each sentence after the first, and of the rest, in nats.

    Where sentences were cut out, the next one follows what it was not written to follow. Mean, spread and upper percentiles
    over sentences; the difference to the other tokens of the same text takes out how hard the text is as a whole.
    """
    starts = np.array([sentence.start for sentence in split(text)][1:], dtype=np.int64)
    at = np.searchsorted(losses.starts, starts, "left")
    at = at[at < len(losses.nats)]
    if not at.size:
        return np.full(5 * len(_HEADS) + 2, ABSENT)
    sums = np.concatenate([[0.0], np.cumsum(losses.nats)])
    overall = losses.nats.mean()
    values = []
    for head in _HEADS:
        ends = np.minimum(at + head, len(losses.nats))
        means = (sums[ends] - sums[at]) / (ends - at)
        values += [means.mean(), means.std(), means.mean() - overall, *np.percentile(means, (75, 95))]
    rest = np.ones(len(losses.nats), dtype=bool)
    rest[at] = False
    return np.array([*values, losses.nats[rest].mean() if rest.any() else overall, overall])
