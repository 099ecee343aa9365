"""What every feature looks at: one trace, split once into sentences, words and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from antidistill.text import split
from antidistill.text.markers import DEFAULT
from antidistill.trace import Trace

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d[\d,]*(?:\.\d+)?")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")

Values = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """A trace as the features see it.

    Attributes:
        trace: the trace itself.
        sentences: its sentences without trailing white space, empty ones left out.
        gaps: the white space behind each of them.
    """

    trace: Trace
    sentences: Sequence[str]
    gaps: Sequence[str]

    @cached_property
    def words(self) -> list[list[str]]:
        """Lower-case words and numbers of each sentence."""
        return [WORD.findall(sentence.lower()) for sentence in self.sentences]

    @cached_property
    def openers(self) -> list[str]:
        """First word of each sentence, or its first character where it has no word."""
        pairs = zip(self.words, self.sentences, strict=True)
        return [words[0] if words else sentence[:1] for words, sentence in pairs]

    @cached_property
    def numbers(self) -> list[list[str]]:
        """Numbers of each sentence without thousands separators and trailing zeros."""
        return [plain_numbers(sentence) for sentence in self.sentences]

    @cached_property
    def lengths(self) -> Values:
        """Characters of each sentence."""
        return np.array([len(sentence) for sentence in self.sentences], dtype=np.float64)

    @cached_property
    def marked(self) -> NDArray[np.bool_]:
        """Which sentences open with a marker."""
        return np.array([bool(DEFAULT.opening(sentence)) for sentence in self.sentences], dtype=bool)

    @cached_property
    def leads(self) -> NDArray[np.bool_]:
        """Which sentences start a paragraph (the first one, and those behind a blank line)."""
        blank = [gap.count("\n") > 1 for gap in self.gaps]
        return np.array([True, *blank[:-1]][: len(blank)], dtype=bool)

    @cached_property
    def places(self) -> Values:
        """Where each sentence starts, as a share of the text (0 at the start, below 1)."""
        sizes = self.lengths + [len(gap) for gap in self.gaps]
        return np.asarray((np.cumsum(sizes) - sizes) / max(sizes.sum(), 1.0), dtype=np.float64)


def view(trace: Trace) -> View:
    """The trace as the features see it."""
    pieces = [(sentence.rstrip(), sentence) for sentence in split(trace.reasoning)]
    kept = [(bare, whole[len(bare) :]) for bare, whole in pieces if bare]
    return View(trace, [bare for bare, _ in kept], [gap for _, gap in kept])


def plain_numbers(text: str) -> list[str]:
    """The numbers in `text`, `1,200.50` as `1200.5`."""
    return [plain_number(found) for found in NUMBER.findall(text)]


def plain_number(number: str) -> str:
    """One number without thousands separators and trailing zeros of its fraction."""
    bare = number.replace(",", "")
    return bare.rstrip("0").rstrip(".") if "." in bare else bare
