"""Simple numbers of a reasoning text whose distributions the report draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from antidistill.text.markers import DEFAULT
from antidistill.text.native import survey
from antidistill.text.survey import EQUATION, MARKER


class Surveyed(NamedTuple):
    """A text, the offsets where its sentences start, and a byte of flags per sentence."""

    text: str
    starts: list[int]
    flags: bytes


class Feature(NamedTuple):
    """`of` gives the number for one text."""

    title: str
    unit: str
    of: Callable[[Surveyed], float]


def _flagged(flag: int) -> Callable[[Surveyed], float]:
    return lambda seen: sum(1 for flags in seen.flags if flags & flag) / max(1, len(seen.flags))


def _sentence_length(seen: Surveyed) -> float:
    return len(seen.text) / max(1, len(seen.starts))


def _repeated(seen: Surveyed) -> float:
    sentences = [seen.text[start:end].strip() for start, end in pairwise([*seen.starts, len(seen.text)])]
    return 1 - len(set(sentences)) / len(sentences) if sentences else 0.0


FEATURES = (
    Feature("Length", "characters", lambda seen: len(seen.text)),
    Feature("Sentences", "per trace", lambda seen: len(seen.starts)),
    Feature("Sentence length", "mean characters", _sentence_length),
    Feature("Markers", "share of sentences that open with one", _flagged(MARKER)),
    Feature("Equations", "share of sentences that carry one", _flagged(EQUATION)),
    Feature("Repetition", "share of sentences said before", _repeated),
)


def measured(texts: Iterable[str]) -> NDArray[np.float64]:
    """The features, shape (n_texts, n_features)."""
    rows = [[feature.of(seen) for feature in FEATURES] for seen in map(_surveyed, texts)]
    return np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES))


def _surveyed(text: str) -> Surveyed:
    return Surveyed(text, *survey(text, DEFAULT))
