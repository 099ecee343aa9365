"""The one code path that guards: a chunk of rows in, bytes for the output files out. Engines only decide where it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from antidistill.batch.account import Account
from antidistill.batch.arrow import guard_batch
from antidistill.batch.chunks import Chunk, Group, Part, Slice, empty_batch, open_parquet
from antidistill.batch.guardian import Guardian
from antidistill.batch.lines import guard_lines
from antidistill.batch.results import Done
from antidistill.batch.rowgroups import take_apart
from antidistill.batch.work import Work
from antidistill.errors import InputError
from antidistill.formats.parquet import writer_options

_BATCH_ROWS = 256


class _Opened(NamedTuple):
    """A Parquet file that is read, and the options that write another one like it."""

    path: Path
    file: pq.ParquetFile
    options: dict[str, Any]


class Kernel:
    """Guards chunks; made once in every worker."""

    def __init__(self, work: Work) -> None:
        self._guardian = Guardian(work.settings)
        self._packings = work.packings
        self._open: _Opened | None = None

    def __call__(self, chunk: Chunk) -> Done:
        """Guards a chunk.

        Raises:
            InputError: the rows cannot be read.
        """
        payload = chunk.payload
        if isinstance(payload, Group | Part):
            return self._guard_batches(chunk, payload)
        done = guard_lines(self._guardian, _bytes(payload), chunk.shard, chunk.before)
        return replace(done, out=packed(done.out, self._packings[chunk.shard]))

    def _guard_batches(self, chunk: Chunk, payload: Group | Part) -> Done:
        account = Account(self._guardian, chunk.shard)
        source = self._opened(payload.path)
        guarded = []
        before = chunk.before
        with _readable(payload.path):
            for batch in _batches(source.file, payload):
                guarded.append(guard_batch(self._guardian, batch, before, account))
                before += batch.num_rows
        body, footer = take_apart(_as_file(pa.Table.from_batches(guarded), source.options))
        return Done(body, b"".join(account.ledger), b"".join(account.rejected), account.tally, footer)

    def _opened(self, path: Path) -> _Opened:
        """A file that stays open until another one is read: its row groups are chunks one after the other."""
        if self._open is None or self._open.path != path:
            file = open_parquet(path)
            self._open = _Opened(path, file, writer_options(file))
        return self._open


def _as_file(table: pa.Table, options: dict[str, Any]) -> pa.Buffer:
    """A Parquet file of one row group."""
    sink = pa.BufferOutputStream()  # a Python file would take every page as an object of its own
    with pq.ParquetWriter(sink, table.schema, **options) as writer:
        writer.write_table(table, row_group_size=max(1, table.num_rows))
    return sink.getvalue()


def _bytes(payload: bytes | Slice) -> bytes:
    if isinstance(payload, bytes):
        return payload
    with _readable(payload.path), payload.path.open("rb") as file:
        file.seek(payload.start)
        return file.read(payload.stop - payload.start)


def _batches(file: pq.ParquetFile, payload: Group | Part) -> Iterator[pa.RecordBatch]:
    if isinstance(payload, Part):
        yield payload.batch
        return
    if not file.metadata.row_group(payload.number).num_rows:
        yield empty_batch(file)
    yield from file.iter_batches(_BATCH_ROWS, row_groups=[payload.number], use_threads=False)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"{path} cannot be read any more ({error}): leave the input alone while it is guarded."
        ) from error


def packed(data: bytes, packing: str | None) -> bytes:
    """The bytes as a compressed member or frame; such pieces one behind the other are a whole compressed file."""
    return pa.compress(data, codec=packing, asbytes=True) if packing else data
