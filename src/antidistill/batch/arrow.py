"""Guards Arrow record batches: the kernel that Parquet files, Ray Data, datasets, datatrove and Spark share."""

from __future__ import annotations

import binascii
from collections.abc import Sequence

import pyarrow as pa

from antidistill.batch.account import Account
from antidistill.batch.guardian import GuardedRow, Guardian
from antidistill.batch.quick.columns import columns_of
from antidistill.batch.quick.way import BUILT
from antidistill.errors import UsageError
from antidistill.formats import Change, KeyPath
from antidistill.formats.leaks import Leaks, refusal
from antidistill.formats.parquet import blank, replace, rows
from antidistill.formats.schema import leaking_columns, without

_BLOCK_ROWS = 16
"""Rows that are done one by one before the quick way is tried again, where none was plain."""


def guard_batch(guardian: Guardian, batch: pa.RecordBatch, before: int, account: Account) -> pa.RecordBatch:
    """The batch with guarded reasoning, without the rows that were rejected and the columns that are dropped.

    Args:
        guardian: guards the rows.
        batch: rows of any known dialect.
        before: number of rows of the shard before these.
        account: takes ledger lines, rejected rows and counts.
    """
    account.tally.bytes += batch.nbytes
    dropped = dropped_columns(batch.schema, guardian.leaks)
    columns = columns_of(batch) if BUILT and not dropped else None
    if columns is None:
        return _guard_closely(guardian, batch, dropped, before, account)
    pieces: list[pa.RecordBatch] = []
    position = 0
    while position < columns.rows:
        quick = guardian.quick.texts(columns, position, before + position + 1, account.shard)
        many = 1 if quick.stop > position else _BLOCK_ROWS
        if quick.stop > position:
            account.add(quick.ledger, quick.counts)
            pieces.append(_with_text(batch.slice(position, quick.stop - position), columns.name, quick.reasoning))
        position = quick.stop
        if position < columns.rows:
            part = batch.slice(position, many)
            pieces.append(_guard_closely(guardian, part, dropped, before + position, account))
            position += part.num_rows
    return pa.concat_batches(pieces) if len(pieces) > 1 else pieces[0] if pieces else batch


def _with_text(batch: pa.RecordBatch, name: str, text: pa.Array) -> pa.RecordBatch:
    names = batch.schema.names
    columns = [text if own == name else column for own, column in zip(names, batch.columns, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _guard_closely(
    guardian: Guardian, batch: pa.RecordBatch, dropped: Sequence[str], before: int, account: Account
) -> pa.RecordBatch:
    """The same row by row."""
    changed: dict[int, Sequence[Change]] = {}
    removed: dict[int, Sequence[KeyPath]] = {}
    rejected: set[int] = set()
    kept = without(batch, dropped)
    for position, outcome in enumerate(guardian.guard(rows(kept), before)):
        number = before + position + 1
        if isinstance(outcome, GuardedRow):
            whole_row = row_text(batch.slice(position, 1)) if outcome.removed or dropped else None
            account.accept(number, outcome.edited, whole_row)
            if outcome.changes:
                changed[position] = outcome.changes
            if outcome.removed:
                removed[position] = outcome.removed
        else:
            rejected.add(position)
            account.reject(number, str(outcome), {"raw_arrow_base64": row_text(batch.slice(position, 1)).decode()})
    guarded = blank(replace(kept, changed), removed)
    return guarded.filter(pa.array(position not in rejected for position in range(len(batch)))) if rejected else guarded


def dropped_columns(schema: pa.Schema, leaks: Leaks) -> list[str]:
    """The columns that have to go because they would betray the edits.

    Raises:
        UsageError: there are such columns, and the policy is neither to drop nor to keep them.
    """
    betraying = leaking_columns(schema) if leaks is not Leaks.KEEP else []
    if betraying and leaks is not Leaks.DROP:
        raise UsageError(refusal(betraying))
    return [str(leak.path[0]) for leak in betraying]


def row_text(row: pa.RecordBatch) -> bytes:
    """A row as an Arrow stream in base64, which keeps every type."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, row.schema) as writer:
        writer.write_batch(row)
    return binascii.b2a_base64(sink.getvalue(), newline=False)


def row_from_text(text: bytes) -> pa.RecordBatch:
    """The row of `row_text`."""
    with pa.ipc.open_stream(binascii.a2b_base64(text)) as reader:
        return reader.read_next_batch()
