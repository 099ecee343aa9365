"""What the text defenses have in common: the key, the markers, and the way from a policy to edits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from antidistill.defenses.base import Editor
from antidistill.defenses.sentences import FirstCut, SentenceEditor, SentencePolicy, sentence_spans
from antidistill.text.markers import DEFAULT, Markers, resolve
from antidistill.trace import Edit, Span


@dataclass(frozen=True, kw_only=True, slots=True)
class TextDefense(ABC):
    """A defense that edits finished text.

    Attributes:
        key: the secret that all choices come from; never part of a spec, a message or a representation.
    """

    name: ClassVar[str]
    key: bytes = field(default=b"", repr=False)

    @property
    def streams(self) -> bool:
        """False: nothing leaves before the reasoning ends."""
        return True

    @property
    def marker_table(self) -> Markers:
        """The words that make a sentence a marker sentence."""
        return DEFAULT

    @abstractmethod
    def begin(self, trace_key: bytes) -> Editor:
        """An editor for one trace that arrives in pieces."""

    @abstractmethod
    def edit(self, text: str, trace_key: bytes) -> list[Edit]:
        """The edits of a whole reasoning: those that `begin` would make of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkerDefense(TextDefense):
    """A text defense that looks at markers.

    Attributes:
        markers: "default", a file of words, or the words that make a sentence a marker sentence.
    """

    markers: str | Iterable[str] | Markers = "default"

    def __post_init__(self) -> None:
        object.__setattr__(self, "markers", resolve(self.markers))

    @property
    def marker_table(self) -> Markers:
        """The words that make a sentence a marker sentence."""
        return self.markers if isinstance(self.markers, Markers) else DEFAULT


class SentenceWise(ABC):
    """Mixin for a text defense that decides sentence by sentence: `policy` is all that it has to say."""

    __slots__ = ()
    name: ClassVar[str]
    marker_table: Markers

    @abstractmethod
    def policy(self, trace_key: bytes) -> SentencePolicy:
        """Decides on the sentences of one trace."""

    def first_cut(self) -> FirstCut | None:
        """The rule, if it is all that the policy says; None otherwise."""
        policy = self.policy(bytes(32))
        if policy.most is None:
            return None
        return FirstCut(self.marker_table, policy.mask, policy.value, policy.most, self.name)

    def begin(self, trace_key: bytes) -> Editor:
        """An editor for one trace that arrives in pieces."""
        return SentenceEditor(self.policy(trace_key), self.name, self.marker_table)

    def edit(self, text: str, trace_key: bytes) -> list[Edit]:
        """The edits of a whole reasoning."""
        return [Edit(*span) for span in self.spans(text, trace_key)]

    def spans(self, text: str, trace_key: bytes) -> list[Span]:
        """The same as tuples: the quick way for a batch."""
        return sentence_spans(text, self.policy(trace_key), self.name, self.marker_table)
