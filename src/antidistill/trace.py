"""The records of the project: a trace, an edit of it, the guarded trace, and a number with its interval."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

_apply: Callable[[str, list[tuple[int, int, str, str]]], tuple[str, str]] | None = None
with suppress(ImportError):  # no compiler was there at installation
    from antidistill._edits import apply as _apply


@dataclass(frozen=True, slots=True)
class Trace:
    """One answer of a reasoning model.

    Attributes:
        id: name of the trace, unique in its file where the file has ids.
        prompt: what the model was asked; may be empty.
        reasoning: the shown reasoning, the only text that a defense may change.
        answer: what follows the reasoning; leaves byte for byte as it came.
        meta: anything else that belongs to the trace.
    """

    id: str
    prompt: str
    reasoning: str
    answer: str
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> bytes:
        """The trace key: SHA-256 of the prompt, or of the id where there is no prompt (32 bytes)."""
        return trace_key(self.prompt, self.id)


def trace_key(prompt: str, trace_id: str = "") -> bytes:
    """SHA-256 of `prompt`, or of `trace_id` where the prompt is empty.

    File and reverse proxy derive the same key, so that asking twice yields the same edits (design law 4).
    """
    return hashlib.sha256((prompt or trace_id).encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces `reasoning[start:end]` by `replacement`; offsets are characters of the original reasoning."""

    start: int
    end: int
    replacement: str
    reason: str


Span: TypeAlias = tuple[int, int, str, str]
"""An edit as a tuple (start, end, replacement, reason), for the kernel of a batch, where making objects would cost much."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A trace with its edits (sorted, not overlapping) and the `spec`, the JSON that rebuilds the defense."""

    trace: Trace
    edits: tuple[Edit, ...]
    spec: str

    @property
    def reasoning(self) -> str:
        """The guarded reasoning."""
        return apply_edits(self.trace.reasoning, self.edits)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured number that never travels without its interval and its n.

    Attributes:
        name: what was measured.
        value: point estimate.
        low, high: 95 % interval unless the producer says otherwise.
        n: number of independent observations behind the value.
        unit: unit of value, low and high ("" for a pure number).
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    unit: str = ""

    def to_json(self) -> dict[str, float | int]:
        """The four fields that the command line prints."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits."""
    pieces: list[str] = []
    position = 0
    for edit in edits:
        pieces += (text[position : edit.start], edit.replacement)
        position = edit.end
    pieces.append(text[position:])
    return "".join(pieces)


def as_spans(edits: Iterable[Edit]) -> list[Span]:
    """The edits as tuples."""
    return [(edit.start, edit.end, edit.replacement, edit.reason) for edit in edits]


def apply_spans(text: str, spans: list[Span]) -> tuple[str, str]:
    """The text after the edits, and the pieces that they removed, joined."""
    if _apply is not None:
        return _apply(text, spans)
    after = apply_edits(text, [Edit(*span) for span in spans])
    return after, "".join([text[start:end] for start, end, _, _ in spans])


def undo_edits(guarded: str, spans: Sequence[tuple[int, int, int]], removed: str) -> str:
    """The original text, from the guarded one and what its edits removed.

    Args:
        guarded: text after the edits.
        spans: per edit (start, end, length of the replacement), start and end in the original text.
        removed: the removed pieces, joined in order.
    """
    pieces: list[str] = []
    guarded_position = original_position = removed_position = 0
    for start, end, replaced in spans:
        kept = start - original_position
        pieces.append(guarded[guarded_position : guarded_position + kept])
        pieces.append(removed[removed_position : removed_position + end - start])
        guarded_position += kept + replaced
        removed_position += end - start
        original_position = end
    pieces.append(guarded[guarded_position:])
    return "".join(pieces)
