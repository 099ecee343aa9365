"""Defenses that decide sentence by sentence: one policy, run on whole texts and on streams alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from antidistill.defenses.seams import Cuts
from antidistill.defenses.stream import StreamEditor
from antidistill.text import native
from antidistill.text.markers import Markers
from antidistill.text.survey import ITEM, MARKER, RAGGED, flags
from antidistill.trace import Span, as_spans


class SentencePolicy(ABC):
    """Decides on one trace. `mask` and `value` name the candidates: sentences with `flags & mask == value`."""

    mask = 0
    value = 0
    most: int | None = None
    """Not None: the policy takes every candidate until this many are gone, in every trace, and says nothing else."""

    @abstractmethod
    def may_take(self, number: int, start: int) -> bool:
        """True if sentence `number`, which starts at `start`, may be taken should it prove to be a candidate.

        Asked at the first words of a sentence; False lets the sentence leave at once. Must not change the policy.
        """

    @abstractmethod
    def takes(self, number: int, start: int, end: int) -> bool:
        """True if the candidate is to be edited; asked once for every candidate, in reading order."""

    def apply(self, cuts: Cuts, start: int, end: int, sentence_flags: int, last: bool) -> None:
        """Edits the sentence that was taken; a sentence that cannot go without a trace stays."""
        if not sentence_flags & (RAGGED | ITEM) and cuts.cut(start, end, last):
            self.took(start, end)

    def took(self, start: int, end: int) -> None:  # noqa: B027 - only a policy that counts has to know
        """Tells that the sentence is gone."""


def sentence_spans(text: str, policy: SentencePolicy, reason: str, markers: Markers) -> list[Span]:
    """The edits of a whole text."""
    if policy.most is not None and native.BUILT:
        spans = native.cut_first(text, markers, policy.mask, policy.value, policy.most)
        return [(start, end, "", reason) for start, end in spans]
    cuts = Cuts(text, reason=reason)
    length = len(text)
    takes, apply = policy.takes, policy.apply
    for number, start, end, sentence_flags in native.candidates(text, markers, policy.mask, policy.value):
        if takes(number, start, end):
            apply(cuts, start, end, sentence_flags, end == length)
    return as_spans(cuts.close())


class FirstCut(NamedTuple):
    """A policy that takes every candidate until `most` are gone, and says nothing else; reason is that of its edits."""

    markers: Markers
    mask: int
    value: int
    most: int
    reason: str


class SentenceEditor(StreamEditor):
    """Runs a `SentencePolicy` on a stream; holds a sentence only while it may be taken."""

    def __init__(self, policy: SentencePolicy, reason: str, markers: Markers) -> None:
        super().__init__(reason, markers)
        self._policy = policy
        self._held = False

    @property
    def _holds(self) -> bool:
        return self._held

    def _begin_sentence(self) -> None:
        policy = self._policy
        fits = not policy.mask & MARKER or self._marker == bool(policy.value & MARKER)
        self._held = fits and policy.may_take(self._number, self._start)

    def _end_sentence(self, end: int, last: bool) -> None:
        policy, base = self._policy, self._cuts.base
        sentence_flags = flags(self._cuts.text, self._start - base, end - base, self._markers)
        if sentence_flags & policy.mask == policy.value and policy.takes(self._number, self._start, end):
            policy.apply(self._cuts, self._start, end, sentence_flags, last)
        if self._cuts.kept_until(end) > self._start:
            self._keep_until(end)
