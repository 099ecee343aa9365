"""What the quick way has to know, made once for a worker; and what it gives.

The C code repeats `formats.plain`, `batch.lines`, `batch.edited` and `batch.ledger` for the rows where they are simple.
Where a row is not, it stops, and the long way does that row. Tests prove that both give the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa

from antidistill import defenses
from antidistill.batch.quick.columns import Columns
from antidistill.batch.quick.layouts import layout_of
from antidistill.batch.results import Tally
from antidistill.defenses import Defense
from antidistill.formats.plain import EDGES
from antidistill.keys.cipher import Encrypt
from antidistill.text.markers import DEFAULT
from antidistill.trace import Span, trace_key

_guard_lines: Callable[..., Any] | None = None
_guard_columns: Callable[..., Any] | None = None
with suppress(ImportError):  # no compiler was there at installation
    from antidistill.batch.quick._quick import count_lines as _count_lines
    from antidistill.batch.quick._quick import guard_columns as _guard_columns
    from antidistill.batch.quick._quick import guard_lines as _guard_lines

Finish: TypeAlias = Callable[[bytes, int, bytes], bytes]
"""Makes the rest of a ledger line from its fields with the guarded text behind them, their length, and what was removed."""
Ending: TypeAlias = tuple[Finish | None, Encrypt | None]
"""What ends a ledger line, None for no ledger; and what seals it in C code, None for lines that are not sealed."""
Counts: TypeAlias = tuple[tuple[int, int, int, int, int, int], list[str]]
"""Guarded rows, traces, characters, removed ones, removed sentences, edits; and the reasons of unchanged rows."""

BUILT = _guard_lines is not None
"""False where no compiler was there at installation."""

_PYTHON_CHOOSES = -1


class Lines(NamedTuple):
    """Lines that were guarded.

    Attributes:
        position, number: the first byte and the number of the line that was not.
        out: the guarded lines.
        ledger: their ledger lines.
        counts: see `count`.
    """

    position: int
    number: int
    out: bytes
    ledger: bytes
    counts: Counts


class Texts(NamedTuple):
    """Rows of a batch that were guarded.

    Attributes:
        stop: the first row that was not.
        reasoning: the guarded reasoning of the rows before.
        ledger: their ledger lines.
        counts: see `count`.
    """

    stop: int
    reasoning: pa.Array
    ledger: bytes
    counts: Counts


class QuickWay:
    """Guards plain rows.

    Args:
        defense: the defense.
        spec_hash: the hash of its spec, for the ledger.
        ending: what ends a ledger line.
        nothing: why a row is unchanged where the defense finds nothing.
        why: the same, from the trace key.
    """

    def __init__(
        self, defense: Defense, spec_hash: str, ending: Ending, nothing: str, why: Callable[[bytes], str]
    ) -> None:
        self._defense, self._why = defense, why
        rule = defenses.first_cut(defense)
        markers, most = (DEFAULT, _PYTHON_CHOOSES) if rule is None else (rule.markers, rule.most)
        fit = (0, 0) if rule is None else (rule.mask, rule.value)
        reason = "" if rule is None else rule.reason
        choice = (markers.words, markers.leads, *fit, most, reason, nothing, self._choose)
        self._recipe: tuple[Any, ...] = (*choice, *ending, os.urandom, sha256, spec_hash, EDGES, layout_of, {})

    def lines(self, data: bytes, position: int, number: int, shard: int) -> Lines | None:
        """Guards lines up to the first that is not plain; None where there is no C code.

        Args:
            data: whole lines.
            position: where to begin.
            number: number of the line there, from 1.
            shard: number of the shard.
        """
        if _guard_lines is None:
            return None
        return Lines(*_guard_lines(data, position, number, shard, self._recipe))

    def texts(self, columns: Columns, position: int, number: int, shard: int) -> Texts:
        """Guards rows of a batch up to the first that is not plain.

        Args:
            columns: the batch.
            position: where to begin.
            number: number of the row there in its shard, from 1.
            shard: number of the shard.
        """
        assert _guard_columns is not None
        kind, width = columns.reasoning, 8 if pa.types.is_large_string(columns.reasoning) else 4
        stop, offsets, data, ledger, counts = _guard_columns(
            columns.buffers, position, columns.rows, number, shard, width, self._recipe
        )
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        return Texts(stop, pa.Array.from_buffers(kind, stop - position, buffers), ledger, counts)

    def _choose(self, text: str, named: str) -> list[Span] | str:
        """The edits of a text; why there are none, if so."""
        key = trace_key(named)
        return defenses.spans(self._defense, text, key) or self._why(key)


def count_lines(data: bytes) -> int:
    """Number of lines, the last one perhaps without an end."""
    if BUILT:
        return _count_lines(data)
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


def count(counts: Counts, tally: Tally) -> None:
    """Adds what the C code counted."""
    (guarded, traces, characters, removed, sentences, edits), reasons = counts
    tally.guarded += guarded
    tally.unchanged += len(reasons)
    tally.traces += traces
    tally.characters += characters
    tally.removed += removed
    tally.removed_sentences += sentences
    tally.edits += edits
    tally.reasons.update(reasons)
