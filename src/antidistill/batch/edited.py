"""A trace with its edits: what they leave, what they remove, and where the guarded reasoning stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from antidistill import formats
from antidistill.formats import Change, Found, KeyPath, Place, Row
from antidistill.text.native import scan
from antidistill.trace import Span, Trace

_ENDS = frozenset(".!?…。！？:\"')]*`”’")


class Edited(NamedTuple):
    """A trace of a row and what the defense made of it: its edits, what they leave, and the pieces that they remove, joined."""

    found: Found
    edits: list[Span]
    guarded: str
    removed: str


NO_TRACE = Edited(Found(Trace("", "", "", ""), ()), [], "", "")
"""Stands for the trace of a row that holds none."""


def changes(row: Row, edited: Sequence[Edited]) -> Sequence[Change]:
    """The strings of the row that change."""
    if len(edited) == 1 and len(edited[0].found.places) == 1:  # most rows
        one = edited[0]
        path, start, end = one.found.places[0]
        if not one.edits:
            return ()
        if start == 0 and len(path) == 1 and len(row[str(path[0])]) == end:
            return (Change(path, one.found.trace.reasoning, one.guarded, one.edits),)
    return formats.changes(row, [(one.found, one.guarded) for one in edited if one.edits])


def removed_sentences(edited: Edited) -> int:
    """Number of sentences that went whole and without a replacement, as the removed pieces split.

    A piece ends with a whole sentence if it ends with a stop, at the end of a line or with the reasoning.
    """
    text = edited.found.trace.reasoning
    removed = 0
    for start, end, replacement, _ in edited.edits:
        if not replacement:
            piece = text[start:end]
            visible = piece.rstrip()
            removed += len(scan(piece, 0, True)[0])
            removed += visible[-1:] in _ENDS or end == len(text) or "\n" in piece[len(visible) :]
    return removed


def guarded_places(edited: Sequence[Edited]) -> list[list[Place]]:
    """For each trace, where its guarded reasoning stands in the guarded row; in the order of the places of the trace."""
    if len(edited) == 1 and len(edited[0].found.places) == 1:  # most rows
        path, start, _ = edited[0].found.places[0]
        return [[Place(path, start, start + len(edited[0].guarded))]]
    result = [list(one.found.places) for one in edited]
    order = [(place, number, slot) for number, places in enumerate(result) for slot, place in enumerate(places)]
    moved: dict[KeyPath, int] = {}
    for (path, start, end), number, slot in sorted(order, key=lambda entry: entry[0].start):
        shift = moved.get(path, 0)
        length = len(edited[number].guarded)
        result[number][slot] = Place(path, start + shift, start + shift + length)
        moved[path] = shift + length - (end - start)
    return result
