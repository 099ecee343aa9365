"""Counts of n-grams by hashing: no vocabulary is learnt, so the row of a text depends on that text alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from antidistill.measure.features.view import WORD, view
from antidistill.trace import Trace

_WORD_COLUMNS = 2**18
_CHARACTER_BITS = 15
_CHARACTER_SIZES = (3, 4)
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))


def word_counts(texts: Sequence[str]) -> Any:
    """Counts of words and word pairs, sparse, shape (texts, 2^18)."""
    from sklearn.feature_extraction.text import HashingVectorizer

    return _hashing(HashingVectorizer, ngram_range=(1, 2)).transform(texts)


def seam_counts(texts: Sequence[str]) -> Any:
    """Counts of what meets at sentence boundaries, sparse, shape (texts, 2^18); see `_seams`."""
    from sklearn.feature_extraction.text import HashingVectorizer

    return _hashing(HashingVectorizer, analyzer=_seams).transform(texts)


def character_counts(texts: Sequence[str]) -> Any:
    """Counts of the character 3- and 4-grams of the lower-case text, sparse, shape (texts, 2^15)."""
    from scipy.sparse import csr_matrix

    columns, counts, ends = [], [], [0]
    for text in texts:
        found, times = np.unique(_character_columns(text), return_counts=True)
        columns.append(found)
        counts.append(times)
        ends.append(ends[-1] + len(found))
    data = np.concatenate([*counts, np.zeros(0)]).astype(np.float64)
    return csr_matrix((data, np.concatenate([*columns, np.zeros(0, np.int64)]), ends), (len(texts), 2**_CHARACTER_BITS))


def _hashing(vectorizer: Any, **options: Any) -> Any:
    return vectorizer(n_features=_WORD_COLUMNS, norm=None, alternate_sign=False, **options)


def _character_columns(text: str) -> Any:
    """Column of every n-gram: a polynomial hash of its code points, mixed and cut to the table's size."""
    codes = np.frombuffer(text.lower().encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    columns, hashes = [], codes
    for size in range(2, max(_CHARACTER_SIZES) + 1):
        hashes = hashes[:-1] * _MIX[0] + codes[size - 1 :]
        if size in _CHARACTER_SIZES:
            mixed = (hashes ^ (hashes >> np.uint64(29))) * _MIX[1]
            columns.append(mixed >> np.uint64(64 - _CHARACTER_BITS))
    return np.concatenate(columns).astype(np.int64)


def _seams(text: str) -> Iterator[str]:
    """Terms for each sentence: its opening words, the opening word before, the end before, and where it stands.

    A cut joins sentences that were never neighbours; the pairs of their opening words and the word before a seam show it,
    while a bag of words does not.
    """
    seen = view(Trace("", "", text, ""))
    total = max(len(seen.sentences), 1)
    heads = [WORD.findall(sentence[:60].lower())[:2] or [sentence[:1]] for sentence in seen.sentences]
    for place, (head, lead) in enumerate(zip(heads, seen.leads, strict=True)):
        seat = "P" if lead else "S"
        yield f"{seat} {head[0]}"
        yield f"{seat} {' '.join(head)}"
        yield f"{head[0]} @ {4 * place // total}"
    for before, after in pairwise(range(len(heads))):
        yield f"{heads[before][0]} > {heads[after][0]}"
        yield f"{seen.sentences[before][-1]} > {heads[after][0]}"
        yield f"{(seen.words[before] or ['_'])[-1]} ~ {heads[after][0]}"
