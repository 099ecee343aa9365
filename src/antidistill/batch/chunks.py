"""Cuts the input into chunks of whole rows: the unit of work, of order, of back-pressure and of resuming.

Where chunks begin depends on the input only, so a resumed run and a run with other workers cut in the same places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from antidistill.batch.quick.way import count_lines
from antidistill.batch.results import Cursor
from antidistill.batch.work import Work
from antidistill.errors import InputError
from antidistill.formats.files import is_parquet, lines, packing_of

_Item = TypeVar("_Item")


class Slice(NamedTuple):
    """Bytes `[start:stop)` of a file that is not compressed."""

    path: Path
    start: int
    stop: int


class Group(NamedTuple):
    """A row group of a Parquet file."""

    path: Path
    number: int


class Part(NamedTuple):
    """Some rows of a row group that is too large for one chunk."""

    path: Path
    batch: pa.RecordBatch


Payload: TypeAlias = bytes | Slice | Group | Part


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some whole rows of one shard.

    Attributes:
        shard: number of the shard.
        before: lines or rows of the shard before these.
        after: where the next chunk begins.
        payload: the rows, or where a worker reads them.
    """

    shard: int
    before: int
    after: Cursor
    payload: Payload


def chunks(work: Work, by_reference: bool) -> Iterator[Chunk]:
    """The chunks of all shards from `work.start` on; every shard has at least one, an empty one perhaps.

    Args:
        work: the input.
        by_reference: let workers read the rows themselves where they can; otherwise a chunk carries its lines.

    Raises:
        InputError: a file cannot be read.
    """
    for shard in range(work.start.shard, len(work.shards)):
        yield from shard_chunks(work, shard, by_reference)


def shard_chunks(work: Work, shard: int, by_reference: bool) -> Iterator[Chunk]:
    """The chunks of one shard, see `chunks`."""
    path = work.shards[shard]
    before = work.start.row if shard == work.start.shard else 0
    cuts = _group_cuts(work, path, before) if is_parquet(path) else _line_cuts(work, path, before, by_reference)
    for (row, count, payload), is_last in _with_last(cuts):
        after = Cursor(shard + 1, 0) if is_last else Cursor(shard, row + count)
        yield Chunk(shard, row, after, payload)


def is_referable(work: Work, shard: int) -> bool:
    """True if workers can read every chunk of the shard themselves, without reading what precedes it."""
    path = work.shards[shard]
    if not is_parquet(path):
        return packing_of(path) is None
    metadata = open_parquet(path).metadata
    sizes = (metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    return all(size <= work.group_bytes for size in sizes)


class _Cut(NamedTuple):
    before: int
    rows: int
    payload: Payload


def _line_cuts(work: Work, path: Path, before: int, by_reference: bool) -> Iterator[_Cut]:
    is_packed = packing_of(path) is not None
    blocks = _packed_blocks(path, work.chunk_bytes) if is_packed else _blocks(path, work.chunk_bytes)
    row = offset = 0
    for data in blocks:
        if offset == 0 and data.lstrip()[:1] == b"[":
            raise InputError(f"{path} is one JSON array: write one object a line, for instance with jq -c '.[]'.")
        rows = count_lines(data)
        end = offset + len(data)
        if row >= before:
            yield _Cut(row, rows, Slice(path, offset, end) if by_reference and not is_packed else data)
        row, offset = row + rows, end
    if offset == 0:
        yield _Cut(0, 0, b"")


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    """Whole lines in blocks of at least so many bytes."""
    try:
        with path.open("rb", buffering=1 << 20) as file:
            while data := file.read(size):
                yield data if data.endswith(b"\n") else data + file.readline()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error


def _packed_blocks(path: Path, size: int) -> Iterator[bytes]:
    """The same of a compressed file."""
    block: list[bytes] = []
    missing = size
    for line in lines(path):
        block.append(line)
        missing -= len(line)
        if missing <= 0:
            yield b"".join(block)
            block, missing = [], size
    if block:
        yield b"".join(block)


def _group_cuts(work: Work, path: Path, before: int) -> Iterator[_Cut]:
    file = open_parquet(path)
    row = 0
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        cuts: Iterable[_Cut] = [_Cut(row, group.num_rows, Group(path, number))]
        if group.total_byte_size > work.group_bytes:
            cuts = _parts(file, path, number, row, group.num_rows * work.part_bytes // group.total_byte_size)
        yield from (cut for cut in cuts if cut.before >= before)
        row += group.num_rows
    if not file.num_row_groups:
        yield _Cut(0, 0, Part(path, empty_batch(file)))


def _parts(file: pq.ParquetFile, path: Path, number: int, row: int, rows: int) -> Iterator[_Cut]:
    for batch in file.iter_batches(max(1, rows), row_groups=[number]):
        yield _Cut(row, batch.num_rows, Part(path, batch))
        row += batch.num_rows


def empty_batch(file: pq.ParquetFile) -> pa.RecordBatch:
    """No rows, with the columns of the file."""
    return pa.RecordBatch.from_pylist([], schema=file.schema_arrow)


def open_parquet(path: Path) -> pq.ParquetFile:
    """A Parquet file, read page by page: a row group may be larger than the memory.

    Raises:
        InputError: it is not Parquet or cannot be read.
    """
    try:
        return pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} is no Parquet file that can be read ({error}): fetch or write it again.") from error


def _with_last(items: Iterable[_Item]) -> Iterator[tuple[_Item, bool]]:
    """Each item, and whether it is the last one."""
    iterator = iter(items)
    for current in iterator:
        for following in iterator:
            yield current, False
            current = following
        yield current, True
