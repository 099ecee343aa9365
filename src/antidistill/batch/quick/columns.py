"""A record batch as the quick way reads it: the buffers of its columns."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
import pyarrow as pa

from antidistill.formats.columns import reasoning_prefix
from antidistill.formats.parquet import readable

_OTHERS = (
    ("i", pa.types.is_integer),
    ("f", pa.types.is_floating),
    ("b", pa.types.is_boolean),
    ("n", pa.types.is_null),
)


class Columns(NamedTuple):
    """The columns of a batch.

    Attributes:
        rows: number of rows.
        name, reasoning: the column of the reasoning and its type.
        buffers: for each column its key as JSON, a letter for its kind (see `layouts`), the width of offsets or numbers in
            bytes, the first value in the buffers, and the buffers: validity, offsets, data; None where there is none.
    """

    rows: int
    name: str
    reasoning: pa.DataType
    buffers: list[tuple[Any, ...]]


def columns_of(batch: pa.RecordBatch) -> Columns | None:
    """The columns; None where some are of a kind that the quick way does not read, or none or several are of reasoning."""
    batch = readable(batch)
    own = [field for field in batch.schema if reasoning_prefix(field.name) is not None]
    buffers = [_buffers(name, array) for name, array in zip(batch.schema.names, batch.columns, strict=True)]
    if len(own) != 1 or not _is_text(own[0].type) or None in buffers:
        return None
    return Columns(batch.num_rows, own[0].name, own[0].type, [one for one in buffers if one is not None])


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _buffers(name: str, array: pa.Array) -> tuple[Any, ...] | None:
    kind, key = array.type, orjson.dumps(name)
    if _is_text(kind):
        return (key, "s", 8 if pa.types.is_large_string(kind) else 4, array.offset, *array.buffers())
    letter = next((letter for letter, is_kind in _OTHERS if is_kind(kind)), None)
    if letter is None:
        return None
    is_read = kind in (pa.int32(), pa.int64())
    width = kind.bit_width // 8 if is_read else 0
    validity = array.buffers()[0]
    return (key, letter, width, array.offset, validity, None, array.buffers()[1] if is_read else None)
