"""Paired metrics: what the owner of the originals can measure (TraceGuard paper, arXiv 2604.23238, appendix E.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antidistill.errors import InputError
from antidistill.measure import intervals
from antidistill.measure.embedding import Encoder
from antidistill.measure.intervals import Interval, Values
from antidistill.measure.likelihood import LanguageModel
from antidistill.measure.pairing import Pairs
from antidistill.trace import Estimate

SIMPLE_TOKENIZER = "words and marks"
"""Runs of letters and digits, and single other characters, white space apart; used where no model's tokenizer is at hand."""
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Unmeasured(InputError):
    """A metric has no value for these traces; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A paired metric: the number itself, and the numbers that it is made of.

    Attributes:
        estimate: the distance, or the mean of guarded minus clean.
        parts: further estimates (means of both sides, for instance) and counts.
    """

    estimate: Estimate
    parts: Mapping[str, Estimate | int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The estimate with its unit, and the parts inside it."""
        parts = {name: part.to_json() if isinstance(part, Estimate) else part for name, part in self.parts.items()}
        return {**self.estimate.to_json(), "unit": self.estimate.unit, **parts}


def tfidf(pairs: Pairs) -> Metric:
    """Mean of 1 - cosine of TF-IDF vectors; 0 for equal texts, 1 for texts without a common term.

    1- and 2-grams, at most 20,000 terms, L2 norm, fitted on all clean and guarded texts together. The paper does not print
    its n-gram range.
    """
    clean, guarded = _texts(pairs)
    codes = prompt_codes(pairs)
    return Metric(_estimate("tfidf", intervals.mean(_tfidf_distances(clean, guarded), codes), codes, "1 - cosine"))


def tokens(pairs: Pairs, language_model: LanguageModel | None = None) -> Metric:
    """Mean change in tokens, guarded minus clean: negative where text was removed.

    Counts with the tokenizer of `language_model`, or with `SIMPLE_TOKENIZER`; the unit says which.
    """
    count = language_model.count if language_model else lambda text: len(_TOKEN.findall(text))
    unit = f"tokens ({language_model.name if language_model else SIMPLE_TOKENIZER})"
    clean, guarded = (_numbers(count, texts) for texts in _texts(pairs))
    return difference("tokens", pairs, clean, guarded, unit)


def semantic(pairs: Pairs, encoder: Encoder) -> Metric:
    """Mean L2 distance of unit sentence embeddings, 0 to 2 (cosine = 1 - d^2 / 2)."""
    clean, guarded = (encoder.embed(texts) for texts in _texts(pairs))
    codes = prompt_codes(pairs)
    distances = np.linalg.norm(clean - guarded, axis=1)
    return Metric(_estimate("semantic", intervals.mean(distances, codes), codes, f"L2 distance ({encoder.name})"))


def perplexity(pairs: Pairs, language_model: LanguageModel) -> Metric:
    """Mean change of perplexity, guarded minus clean, with mean and standard deviation over the traces of both sides.

    The perplexity of a trace is exp(mean loss of its tokens). Pairs with an empty side are left out, n says so.
    """
    clean, guarded = (_perplexities(language_model, texts) for texts in _texts(pairs))
    return difference("perplexity", pairs, clean, guarded, f"perplexity ({language_model.name})", deviations=True)


def prompt_codes(pairs: Pairs) -> NDArray[np.int64]:
    """A number for each row, the same for rows of one prompt."""
    return np.unique(np.array([prompt.hex() for prompt in pairs.prompts]), return_inverse=True)[1]


def difference(
    name: str, pairs: Pairs, clean: Values, guarded: Values, unit: str, *, deviations: bool = False
) -> Metric:
    """Mean of guarded minus clean with the means of both sides; NaN marks a side without a value.

    Raises:
        Unmeasured: no pair has a value on both sides.
    """
    there = np.isfinite(clean) & np.isfinite(guarded)
    if not there.any():
        raise Unmeasured("no pair has a value on both sides")
    clean, guarded, codes = clean[there], guarded[there], prompt_codes(pairs)[there]
    sides = {"clean": clean, "guarded": guarded}
    parts = {side: _estimate(name, intervals.mean(values, codes), codes, unit) for side, values in sides.items()}
    if deviations:
        spreads = {side: intervals.deviation(values, codes) for side, values in sides.items()}
        parts |= {f"{side}_sd": _estimate(name, spread, codes, unit) for side, spread in spreads.items()}
    return Metric(_estimate(name, intervals.mean(guarded - clean, codes), codes, unit), parts)


def _estimate(name: str, interval: Interval, codes: NDArray[np.int64], unit: str) -> Estimate:
    return Estimate(name, *interval, n=len(np.unique(codes)), unit=unit)


def _texts(pairs: Pairs) -> tuple[list[str], list[str]]:
    return [trace.reasoning for trace in pairs.clean], [trace.reasoning for trace in pairs.guarded]


def _numbers(count: Callable[[str], int], texts: Sequence[str]) -> Values:
    return np.array([count(text) for text in texts], dtype=np.float64)


def _perplexities(language_model: LanguageModel, texts: Sequence[str]) -> Values:
    means = [losses.nats.mean() if losses.nats.size else np.nan for losses in language_model.losses(texts)]
    return np.exp(np.array(means, dtype=np.float64))


def _tfidf_distances(clean: list[str], guarded: list[str]) -> Values:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), max_features=20_000, norm="l2", token_pattern=r"(?u)\b\w+\b")
    equal = np.array([ours == theirs for ours, theirs in zip(clean, guarded, strict=True)])
    try:
        vectors = vectorizer.fit_transform([*clean, *guarded])
    except ValueError:  # no text has a word
        return np.where(equal, 0.0, 1.0)
    cosines = np.asarray(vectors[: len(clean)].multiply(vectors[len(clean) :]).sum(axis=1), dtype=np.float64).ravel()
    return np.where(equal, 0.0, np.clip(1 - cosines, 0.0, 1.0))
