"""A trace with its edits: what they leave, what they remove, and where the guarded reasoning stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from antidistill import formats
from antidistill.formats import Change, Found, KeyPath, Place, Row
from antidistill.text.native import scan
from antidistill.trace import Edit, Trace

_ENDS = frozenset(".!?…。！？:\"')]*`”’")


class Edited(NamedTuple):
    """A trace of a row and what the defense made of it: its edits, what they leave and the pieces that they remove."""

    found: Found
    edits: Sequence[Edit]
    guarded: str
    removed: Sequence[str]


NO_TRACE = Edited(Found(Trace("", "", "", ""), ()), (), "", ())
"""Stands for the trace of a row that holds none."""


def cut(text: str, edits: Sequence[Edit]) -> tuple[str, list[str]]:
    """The text after the edits, and the pieces that they removed."""
    if not edits:
        return text, []
    kept: list[str] = []
    removed: list[str] = []
    position = 0
    for edit in edits:
        start = edit.start
        kept.append(text[position:start])
        if edit.replacement:
            kept.append(edit.replacement)
        position = edit.end
        removed.append(text[start:position])
    kept.append(text[position:])
    return "".join(kept), removed


def changes(row: Row, edited: Sequence[Edited]) -> Sequence[Change]:
    """The strings of the row that change."""
    if len(edited) == 1 and len(edited[0].found.places) == 1:  # most rows
        one = edited[0]
        path, start, end = one.found.places[0]
        if not one.edits:
            return ()
        if start == 0 and len(path) == 1 and len(row[str(path[0])]) == end:
            return (Change(path, one.found.trace.reasoning, one.guarded),)
    return formats.changes(row, [(one.found, one.guarded) for one in edited if one.edits])


def removed_sentences(edited: Edited) -> int:
    """Number of sentences that the edits removed and put nothing in place of, as the removed text splits."""
    pairs = zip(edited.edits, edited.removed, strict=True)
    removed = "\n".join([piece for edit, piece in pairs if not edit.replacement])
    visible = removed.rstrip()
    if not visible:
        return 0
    last = edited.edits[-1].end == len(edited.found.trace.reasoning)
    ended = last or visible[-1] in _ENDS or "\n" in removed[len(visible) :]
    return len(scan(removed, 0, True)[0]) + ended


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
