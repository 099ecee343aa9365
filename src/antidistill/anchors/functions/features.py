"""What the trained tagger sees of a sentence: its words, its opening, and measures of its place and form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log1p

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_TOKEN = re.compile(r"[a-z']+|\d+(?:\.\d+)?|\\[a-z]+|[^\sa-z\d]")
_WORD = re.compile(r"[a-z]{3,}|\d+")
_RESULT = re.compile(r"=\s*([^=,.;]+)")
_OPENING = 3
_MARK = "~"
"""Stands before the terms of an opening."""
_HALVES = (0.7, 0.93)
"""What is left of a cue one sentence later: the state of the reasoning, short and long."""

_CUES = tuple(
    re.compile(rf"\b(?:{words})", re.IGNORECASE)
    for words in (
        "check|verif|confirm|double|make sure|test|plug|substitut|consistent|correct",
        "answer|boxed|therefore|final|conclu",
        "wait|hmm|maybe|perhaps|not sure|confus|mistake|wrong|actually",
        "let me|let's|need to|i should|i can|try|first|next|another way|approach",
        "formula|remember|recall|know that|given|definition|problem says|theorem|means",
    )
)
_SYMBOLS = frozenset("+-*/=^\\{}()")


def terms(sentence: str, asked: frozenset[str]) -> tuple[Counter[str], Counter[str]]:
    """Counts of the words and pairs of words, and of the openings; numbers are alike but for whether the prompt names them."""
    words = [_folded(token, asked) for token in _TOKEN.findall(sentence.lower())]
    framed = ["^", *words, "$"]
    found = Counter(framed)
    found.update(f"{one} {two}" for one, two in pairwise(framed))
    head = ["^", *words[:_OPENING], "$"]
    spans = [
        (start, end) for start in range(len(head)) for end in range(start + 1, min(start + _OPENING, len(head)) + 1)
    ]
    return found, Counter(_MARK + " ".join(head[start:end]) for start, end in spans)


def _folded(token: str, asked: frozenset[str]) -> str:
    if token[0].isdigit():
        return "0?" if token in asked else "0"
    return "x" if len(token) == 1 and token.isalpha() and token not in "ai" else token


def asked_for(prompt: str) -> frozenset[str]:
    """Words and numbers of a prompt."""
    return frozenset(re.findall(r"[a-z']+|\d+", prompt.lower()))


def measures(sentences: Sequence[str], asked: frozenset[str]) -> Matrix:
    """Measures of every sentence, shape (sentences, `MEASURES`): place, form, novelty, cues, and the decayed cues before it."""
    places = _paragraphs(sentences)
    state = np.zeros((len(_CUES) + 1, len(_HALVES)))
    halves = np.array(_HALVES)
    seen: set[str] = set()
    results: set[str] = set()
    rows = []
    for number, sentence in enumerate(sentences):
        words, right = _WORD.findall(sentence.lower()), [part.strip() for part in _RESULT.findall(sentence)]
        cues = np.array([bool(cue.search(sentence)) for cue in _CUES] + ["=" in sentence], dtype=float)
        new = [_share(words, asked), _share(words, seen), _share([w for w in words if w.isdigit()], seen, 0.5)]
        row = [*_place(number, len(sentences)), *next(places), *_form(sentence), *new, _share(right, results)]
        rows.append([*row, *cues, *state.ravel()])
        state = state * halves + cues[:, None] * (1 - halves)
        seen.update(words)
        results.update(right)
    return np.array(rows, dtype=float).reshape(len(sentences), MEASURES)


def _share(words: Sequence[str], known: frozenset[str] | set[str], empty: float = 0.0) -> float:
    return sum(word in known for word in words) / len(words) if words else empty


def _place(number: int, count: int) -> list[float]:
    left = count - 1 - number
    early = [float(number < first) for first in (1, 3, 6)]
    return [number / count, log1p(number), *early, float(left < 1), float(left < 3), log1p(left), log1p(count)]


def _paragraphs(sentences: Sequence[str]) -> Iterator[list[float]]:
    """Per sentence: opens a paragraph, stands behind a newline, sentences of the paragraph before it, behind it, in it."""
    opens = [number == 0 or "\n\n" in _tail(sentences[number - 1]) for number in range(len(sentences))]
    starts = [number for number, first in enumerate(opens) if first]
    for start, end in zip(starts, [*starts[1:], len(sentences)], strict=True):
        for number in range(start, end):
            line = float(number > 0 and "\n" in _tail(sentences[number - 1]))
            sizes = [log1p(number - start), log1p(end - number - 1), log1p(end - start)]
            yield [float(opens[number]), line, *sizes]


def _tail(sentence: str) -> str:
    """The white space behind a sentence."""
    return sentence[len(sentence.rstrip()) :]


def _form(sentence: str) -> list[float]:
    core = sentence.strip()
    size = max(len(core), 1)
    numbers = len(re.findall(r"\d+", core))
    flags = ["=" in core, core.count("=") > 1, "?" in core, numbers > 0, "boxed" in core, core.endswith(":")]
    flags += [core.endswith("!"), core[:1].islower(), not core[:1].isalpha()]
    digits, symbols = sum(map(str.isdigit, core)), sum(character in _SYMBOLS for character in core)
    return [log1p(size), log1p(numbers), digits / size, symbols / size, *map(float, flags)]


MEASURES = 9 + 5 + 13 + 4 + (len(_CUES) + 1) * (1 + len(_HALVES))
"""How many measures a sentence has."""
LOCAL = slice(14, 31)
"""The measures of form and novelty: those that say something about the neighbours too."""
