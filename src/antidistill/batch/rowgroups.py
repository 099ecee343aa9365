"""Joins Parquet row groups that were written apart, without decoding them.

A Parquet file is row groups, then a footer that says where they are. Workers write small files of their own; their row
groups are copied one behind the other, and one footer with shifted offsets is written at the end. So writing, the slow part
of Parquet, runs on all workers, and an interrupted run keeps the row groups that it has.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

from antidistill.batch import thrift

MAGIC = b"PAR1"
_TAIL = 8
_I64 = 6
_ROWS, _ROW_GROUPS = 3, 4
_GROUP_COLUMNS, _GROUP_OFFSET, _GROUP_ORDINAL = 1, 5, 7
_CHUNK_OFFSETS = (2, 4, 6)
_CHUNK_META = 3
_META_OFFSETS = (9, 10, 11, 14)


class Parts(NamedTuple):
    """The row groups of one Parquet file (as bytes between the magic and the footer) and its footer."""

    body: pa.Buffer
    footer: bytes


def take_apart(file: pa.Buffer) -> Parts:
    """Splits a whole Parquet file; the body is not copied."""
    (length,) = struct.unpack("<I", file[-_TAIL:-4])
    end = len(file) - _TAIL - length
    return Parts(file[len(MAGIC) : end], file[end : end + length].to_pybytes())


def joined_footer(parts: Iterable[tuple[bytes, int]]) -> bytes:
    """The end of a file, footer and magic, that holds the row groups of several files.

    Args:
        parts: footer of each file, and the offset in the joined file at which its body starts; at least one.
    """
    footers = iter(parts)
    first = _shifted(*next(footers))
    groups = first[_ROW_GROUPS].value.items
    rows = first[_ROWS].value
    for footer, offset in footers:
        more = _shifted(footer, offset)
        groups += more[_ROW_GROUPS].value.items
        rows += more[_ROWS].value
    first[_ROWS] = thrift.Field(_I64, rows)
    number_groups(groups)
    data = thrift.dumps(first)
    return data + struct.pack("<I", len(data)) + MAGIC


def _shifted(footer: bytes, offset: int) -> thrift.Struct:
    """The footer of a file whose body moved to `offset`."""
    meta = thrift.loads(footer)
    by = offset - len(MAGIC)
    for group in meta[_ROW_GROUPS].value.items:
        _shift(group, (_GROUP_OFFSET,), by)
        for chunk in group[_GROUP_COLUMNS].value.items:
            _shift(chunk, _CHUNK_OFFSETS, by)
            for column in _column_meta(chunk):
                _shift(column, _META_OFFSETS, by)
    return meta


def _column_meta(chunk: thrift.Struct) -> Iterator[thrift.Struct]:
    if _CHUNK_META in chunk:
        yield chunk[_CHUNK_META].value


def _shift(fields: thrift.Struct, numbers: tuple[int, ...], by: int) -> None:
    """Moves offsets; 0 means "not set" in a Parquet footer and stays."""
    for number in numbers:
        if number in fields and fields[number].value:
            fields[number] = thrift.Field(_I64, fields[number].value + by)


def number_groups(groups: list[thrift.Struct]) -> None:
    """Gives the row groups their places, where the files do; the place is a 16-bit number."""
    fits = len(groups) < 2**15
    for place, group in enumerate(groups):
        if fits and _GROUP_ORDINAL in group:
            group[_GROUP_ORDINAL] = group[_GROUP_ORDINAL]._replace(value=place)
        else:
            group.pop(_GROUP_ORDINAL, None)
