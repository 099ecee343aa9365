"""A trace as a row of parts: what stayed, what was deleted, inserted, replaced or moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from antidistill.errors import LedgerError
from antidistill.report.spans import Span, is_move, moved_sentences

Kind = Literal["same", "deleted", "inserted", "replaced", "moved"]


class Part(NamedTuple):
    """A stretch of a trace: `before` in the original, `after` in the guarded text; both equal where kind is "same"."""

    kind: Kind
    reason: str
    before: str
    after: str


def cut(original: str, guarded: str, spans: Sequence[Span]) -> list[Part]:
    """Both texts as parts: all `before` joined are the original, all `after` joined the guarded text.

    A span without a reason gets its kind as the reason.

    Raises:
        LedgerError: outside the spans the texts differ, so the spans are those of other texts.
    """
    stray = moved_sentences(spans, original, guarded)
    parts: list[Part] = []
    position = after_position = 0
    for span in spans:
        parts += _same(original[position : span.start], guarded[after_position : span.after_start])
        parts.append(_edited(span, original, guarded, stray))
        position, after_position = span.end, span.after_end
    return [*parts, *_same(original[position:], guarded[after_position:])]


def _same(before: str, after: str) -> list[Part]:
    if before != after:
        raise LedgerError(
            "the edits do not lead from the original to the guarded text; give the ledger that was written with this file."
        )
    return [Part("same", "", before, after)] if before else []


def _edited(span: Span, original: str, guarded: str, stray: frozenset[str]) -> Part:
    before, after = original[span.start : span.end], guarded[span.after_start : span.after_end]
    kind: Kind = "moved" if is_move(span, original, guarded, stray) else _kind(before, after)
    return Part(kind, span.reason or kind, before, after)


def _kind(before: str, after: str) -> Kind:
    if before.strip() and not after.strip():
        return "deleted"
    if after.strip() and not before.strip():
        return "inserted"
    return "replaced"
