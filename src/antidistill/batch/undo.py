"""Undoes the edits of one row with its ledger lines, and checks that they belong together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from antidistill.batch.ledger import Line, opened
from antidistill.batch.seal import Sealer
from antidistill.errors import LedgerError, RowError
from antidistill.formats import Change, Found, Place, Row, changes, locate
from antidistill.formats.found import KeyPath, strings, value_at
from antidistill.trace import Trace, undo_edits


@dataclass(frozen=True, slots=True)
class Original:
    """How a row becomes the original again.

    Attributes:
        changes: strings that change back.
        whole_row: the original row, where the ledger holds it as a whole.
    """

    changes: Sequence[Change]
    whole_row: bytes | None = None


def undo(row: Row, lines: Sequence[Line], sealer: Sealer | None) -> Original:
    """What gives the original of a guarded row.

    Args:
        row: the guarded row.
        lines: its ledger lines.
        sealer: opens sealed text.

    Raises:
        LedgerError: row and lines do not belong together, or one of them was changed.
    """
    restored: list[tuple[Found, str]] = []
    for line in lines:
        guarded, places = _guarded(row, line)
        removed = _opened(line, guarded, sealer)
        if line.fields.get("whole_row"):
            return Original((), removed)
        spans = [(start, end, length) for start, end, length, _ in line.fields["edits"]]
        original = undo_edits(guarded, spans, removed.decode())
        restored.append((Found(Trace("", "", guarded, ""), places), original))
    return Original(changes(row, restored))


def check_answers(original: Row, lines: Sequence[Line]) -> None:
    """Raises LedgerError unless the answers of a restored row are those that were guarded."""
    try:
        answers = [found.trace.answer for found in locate(original)]
    except RowError:
        answers = []
    expected = [line.fields["answer_sha256"] for line in lines if line.fields["at"]]
    if [hashlib.sha256(answer.encode()).hexdigest() for answer in answers] != expected:
        raise LedgerError(
            f"{_place(lines[0])}: the answer is not the one that was guarded; the guarded file was changed."
        )


def check_rest(guarded: Row, original: Row, lines: Sequence[Line]) -> None:
    """Raises LedgerError if a text of a guarded row, outside of its reasoning, is another one than in the original.

    For rows that the ledger holds whole: what was removed from them is not looked for.
    """
    pieces: dict[KeyPath, list[tuple[int, int]]] = {}
    for line in lines:
        for path, start, end in line.fields["at"]:
            pieces.setdefault(tuple(path), []).append((start, end))
    for path, text in strings(guarded):
        start = min((start for start, _ in pieces.get(path, ())), default=len(text))
        end = max((end for _, end in pieces.get(path, ())), default=0)
        try:
            was = value_at(original, path)
        except LookupError:
            was = None
        if not isinstance(was, str) or not was.startswith(text[:start]) or not was.endswith(text[end:]):
            raise LedgerError(f"{_place(lines[0])}: the guarded file was changed at {'.'.join(map(str, path))}.")


def _guarded(row: Row, line: Line) -> tuple[str, tuple[Place, ...]]:
    """The guarded reasoning that a row holds where its ledger line says, and the places."""
    try:
        places = tuple(Place(tuple(path), start, end) for path, start, end in line.fields["at"])
        texts = {value_at(row, place.path)[place.start : place.end] for place in places} or {""}
    except (LookupError, TypeError, ValueError) as error:
        raise _apart(line) from error
    if len(texts) != 1:
        raise _apart(line)
    return str(texts.pop()), places


def _opened(line: Line, guarded: str, sealer: Sealer | None) -> bytes:
    try:
        return opened(line.fields, guarded, sealer)
    except LedgerError as error:
        raise _apart(line) from error


def _apart(line: Line) -> LedgerError:
    return LedgerError(
        f"{_place(line)}: the guarded row and its ledger line do not belong together: the ledger is that of another "
        "file, or one of the two was changed after guarding."
    )


def _place(line: Line) -> str:
    fields: dict[str, Any] = line.fields
    return f"row {fields['row']} (ledger line {line.number})"
