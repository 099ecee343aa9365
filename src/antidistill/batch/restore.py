"""Gives back the originals: ledger + guarded file = original file. Lines come back byte for byte, Parquet as an equal table."""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from antidistill import defenses
from antidistill.batch.arrow import row_from_text
from antidistill.batch.chunks import open_parquet
from antidistill.batch.drafts import Draft, explained
from antidistill.batch.kernel import packed
from antidistill.batch.ledger import Ledger, LedgerText, Line
from antidistill.batch.seal import Sealer
from antidistill.batch.targets import check_absent, targets
from antidistill.batch.undo import check_answers, check_rest, undo
from antidistill.batch.walk import Walk, raw_line
from antidistill.errors import KeyFileError, LedgerError, RowError
from antidistill.formats import Change, sources
from antidistill.formats.files import is_parquet, lines, packing_of
from antidistill.formats.jsonl import decode, splice
from antidistill.formats.parquet import assigned, replace, rows, writer_options
from antidistill.keys import key_path, read_key

_BLOCK_BYTES = 8 << 20
_BATCH_ROWS = 2048
_GROUP_BYTES = 128 << 20


class Restored(NamedTuple):
    """What a restore gave: rows written, and rejected rows of the original that were not given and so are missing."""

    rows: int
    missing: int


def restore_files(
    guarded: Path,
    ledger_path: Path,
    out: Path,
    *,
    key_file: Path | None = None,
    rejected: Path | None = None,
    force: bool = False,
    summary: Path | None = None,
) -> Restored:
    """Writes the originals of guarded files.

    Args:
        guarded: guarded file, folder or pattern.
        ledger_path: its ledger.
        out: file or folder for the originals.
        key_file: key that the ledger was sealed with; None: the key file beside the ledger.
        rejected: file of rejected rows, to put them back in their places.
        force: replace files that are there.
        summary: file that the caller writes the counts to; checked like the others, never written here.

    Raises:
        LedgerError: the ledger is that of another file, holds hashes only, or was changed.
        KeyFileError: the key is missing or another one.
        UsageError, InputError, OutputError: as for `guard_files`.
    """
    ledger = Ledger(ledger_path)
    sealer = _sealer(ledger, key_file)
    shards = sources(guarded)
    reads = [ledger_path, key_file or key_path(ledger_path), *([rejected] if rejected else [])]
    files = targets(guarded, shards, out, None, summary=summary, reads=reads)
    if not force:
        check_absent(files)
    _check_sources(ledger, shards)
    walk = Walk(ledger, rejected)
    count = 0
    for number, (shard, final) in enumerate(zip(shards, files.shards, strict=True)):
        walk.enter(number)
        with explained(final):
            final.parent.mkdir(parents=True, exist_ok=True)
        draft = Draft(final.with_name(f".{final.name}.restoring"), final)
        try:
            count += _restore_shard(shard, ledger.header["sources"][number], draft, walk, sealer)
            walk.leave()
            draft.settle()
            draft.publish()
        finally:
            draft.drop()
    return Restored(count, walk.missing)


def _sealer(ledger: Ledger, key_file: Path | None) -> Sealer | None:
    if ledger.text is LedgerText.HASH:
        raise LedgerError(
            f"{ledger.path} holds only hashes of what was removed, so nothing can be restored from it: "
            "guard with --ledger-text sealed to be able to."
        )
    if ledger.text is LedgerText.PLAIN:
        return None
    path = key_file or key_path(ledger.path)
    key = read_key(path, "give the key file of that run with --key-file").secret
    return sealer_of(ledger, key, f"key file {path} holds")


def sealer_of(ledger: Ledger, key: bytes, given: str) -> Sealer:
    """What opens the seals of a ledger; `given` begins the message where the key is another one.

    Raises:
        KeyFileError: it is.
    """
    wanted = ledger.header["key_id"]
    if defenses.key_id(key) != wanted:
        raise KeyFileError(
            f"{given} key {defenses.key_id(key)}, the ledger was sealed with key {wanted}: give that one."
        )
    return Sealer(key, bytes.fromhex(ledger.header["salt"]))


def _check_sources(ledger: Ledger, shards: Sequence[Path]) -> None:
    wanted = ledger.header["sources"]
    if len(wanted) != len(shards):
        raise LedgerError(
            f"the ledger is that of {len(wanted)} files, not of {len(shards)}: give the guarded files of that run."
        )


def _restore_shard(shard: Path, source: dict[str, Any], draft: Draft, walk: Walk, sealer: Sealer | None) -> int:
    if is_parquet(shard):
        with explained(draft.final):
            count = _restore_parquet(shard, source, draft.path, walk, sealer)
        draft.end = draft.size()
        return count
    size = count = 0
    block: list[bytes] = []
    for line in _restored_lines(shard, walk, sealer):
        block.append(line)
        count += not line.isspace()
        size += len(line)
        if size >= _BLOCK_BYTES:
            draft.append(packed(b"".join(block), packing_of(draft.final)))
            block, size = [], 0
    draft.append(packed(b"".join(block), packing_of(draft.final)))
    return count


def _restored_lines(shard: Path, walk: Walk, sealer: Sealer | None) -> Iterator[bytes]:
    for line in lines(shard):
        yield from map(raw_line, walk.rejected())
        if line.isspace():
            walk.pass_blank()
            yield line
        else:
            yield _restored_line(line, walk, sealer)
    yield from map(raw_line, walk.rejected())


def _restored_line(line: bytes, walk: Walk, sealer: Sealer | None) -> bytes:
    entries = walk.lines()
    try:
        row = decode(line)
        original = undo(row, entries, sealer)
        restored = splice(line, original.changes) if original.whole_row is None else original.whole_row
    except RowError as error:
        raise LedgerError(f"row {entries[0].fields['row']} of the guarded file cannot be read: {error}") from error
    restored_row = decode(restored)
    check_answers(restored_row, entries)
    if original.whole_row is not None:
        check_rest(row, restored_row, entries)
    return restored


def _restore_parquet(shard: Path, source: dict[str, Any], path: Path, walk: Walk, sealer: Sealer | None) -> int:
    file = open_parquet(shard)
    schema = file.schema_arrow
    if "schema" in source:
        schema = pa.ipc.read_schema(pa.BufferReader(binascii.a2b_base64(source["schema"])))
    count = 0
    with pq.ParquetWriter(path, schema, **writer_options(file)) as writer:
        for number in range(file.num_row_groups):
            for table in _restored_tables(file, number, schema, walk, sealer):
                writer.write_table(table, row_group_size=max(1, table.num_rows))
                count += table.num_rows
        last = [_raw_row(record) for record in walk.rejected()]
        if last:
            writer.write_table(pa.Table.from_batches(last, schema))
    return count + len(last)


def _restored_tables(
    file: pq.ParquetFile, number: int, schema: pa.Schema, walk: Walk, sealer: Sealer | None
) -> Iterator[pa.Table]:
    """A row group as one table; one that is larger than `_GROUP_BYTES` in pieces."""
    is_large = file.metadata.row_group(number).total_byte_size > _GROUP_BYTES
    batches: list[pa.RecordBatch] = []
    for batch in file.iter_batches(_BATCH_ROWS, row_groups=[number]):
        batches += restored_batches(batch, walk, sealer)
        if is_large:
            yield pa.Table.from_batches(batches, schema)
            batches = []
    if batches:
        yield pa.Table.from_batches(batches, schema)


def restored_batches(batch: pa.RecordBatch, walk: Walk, sealer: Sealer | None) -> list[pa.RecordBatch]:
    """The originals of a batch: runs of changed rows, and between them rows that came as a whole.

    Raises:
        LedgerError: batch and ledger do not belong together, or one of them was changed.
    """
    changed: dict[int, Any] = {}
    whole: dict[int, list[pa.RecordBatch]] = {}
    replaced: set[int] = set()
    for position, row in enumerate(rows(batch)):
        before = [_raw_row(record) for record in walk.rejected()]
        entries = walk.lines()
        if isinstance(row, RowError):
            raise LedgerError(f"row {entries[0].fields['row']} of the guarded file cannot be read: {row}")
        original = undo(row, entries, sealer)
        if original.whole_row is not None:
            whole_row = row_from_text(original.whole_row)
            _check_whole(row, whole_row, entries)
            before.append(whole_row)
            replaced.add(position)
        else:
            check_answers(_changed_back(row, original.changes), entries)
            changed[position] = original.changes
        if before:
            whole[position] = before
    return list(_assembled(replace(batch, changed), whole, replaced))


def _check_whole(row: dict[str, Any], whole_row: pa.RecordBatch, entries: Sequence[Line]) -> None:
    (original,) = rows(whole_row)
    if isinstance(original, RowError):
        raise LedgerError(f"row {entries[0].fields['row']} of the ledger cannot be read: {original}")
    check_rest(row, original, entries)


def _changed_back(row: dict[str, Any], what: Sequence[Change]) -> dict[str, Any]:
    for change in what:
        row = assigned(row, change.path, change.new)
    return row


def _assembled(
    batch: pa.RecordBatch, inserts: dict[int, list[pa.RecordBatch]], replaced: set[int]
) -> Iterator[pa.RecordBatch]:
    """The batch with rows put in front of some positions; the row at a position in `replaced` goes."""
    start = 0
    for position, own in inserts.items():
        if position > start:
            yield batch.slice(start, position - start)
        yield from own
        start = position + (position in replaced)
    if start < batch.num_rows:
        yield batch.slice(start)


def _raw_row(record: dict[str, Any]) -> pa.RecordBatch:
    return row_from_text(record.get("raw_arrow_base64", "").encode())
