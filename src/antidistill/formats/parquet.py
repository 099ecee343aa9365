"""Arrow batches of a Parquet file: rows out, changed strings in, everything else as it is."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from antidistill.errors import RowError
from antidistill.formats.found import Change, KeyPath
from antidistill.formats.schema import betrays_inside

Changes: TypeAlias = Mapping[int, Sequence[Change]]
"""What changes in a batch, by the position of the row."""

MOST_BYTES = 64 << 20
"""Uncompressed bytes of a batch that `batches` aims at."""

_SINGLE = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
_TEXT = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
)
"""Bytes are read so that a column of reasoning that is not declared as text is named."""
_VERSIONS = ("1.0", "2.4", "2.6")


class _Put(NamedTuple):
    """The value at `path` inside element `at` of an array becomes `value`."""

    at: int
    path: KeyPath
    value: str | None


def rows(batch: pa.RecordBatch) -> list[dict[str, Any] | RowError]:
    """The rows of a batch, or the reason why one cannot be read.

    Columns that are not `readable` are left out.
    """
    batch = readable(batch)
    try:
        return list(batch.to_pylist())
    except (ValueError, OverflowError):
        return [_row(batch.slice(position, 1)) for position in range(batch.num_rows)]


def readable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The columns that hold text or single numbers, or anything that betrays an edit by a name inside.

    Embeddings, times and images are not among them.
    """
    names = _readable_names(batch.schema)
    return batch if len(names) == batch.num_columns else batch.select(names)


@functools.lru_cache(maxsize=16)
def _readable_names(schema: pa.Schema) -> list[str]:
    """The same as names; all batches of a file ask."""
    return [field.name for field in schema if _is_read(field.type) or betrays_inside(field.type)]


def _row(batch: pa.RecordBatch) -> dict[str, Any] | RowError:
    row = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            row[name] = column[0].as_py()
        except UnicodeDecodeError:
            return RowError(f"column {name} holds bytes that are not UTF-8: convert the text to UTF-8 first.")
        except (ValueError, OverflowError) as error:
            return RowError(f"column {name} cannot be read: {error}.")
    return row


def _is_read(kind: pa.DataType) -> bool:
    """Whether a column holds text or single numbers, be it deep inside; not lists of numbers, times or images."""
    if isinstance(kind, pa.BaseExtensionType):
        return _is_read(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _is_read(kind.value_type)
    if pa.types.is_nested(kind):
        inner = [kind.field(position).type for position in range(kind.num_fields)]
        numbers = pa.types.is_struct(kind)  # those of a list are not single
        return any(_is_text(k) or (_is_read(k) and (numbers or pa.types.is_nested(k))) for k in inner)
    return _is_text(kind) or any(test(kind) for test in _SINGLE)


def _is_text(kind: pa.DataType) -> bool:
    return any(test(kind) for test in _TEXT)


def replace(batch: pa.RecordBatch, changes: Changes) -> pa.RecordBatch:
    """The batch with the strings of `changes` replaced; schema, types and all other values stay.

    Columns that do not change are passed on as they are; text inside lists and structs is replaced without making
    Python objects of the rest.
    """
    puts: dict[str, list[_Put]] = {}
    for row, its_changes in changes.items():
        for path, _, new, _ in its_changes:
            puts.setdefault(str(path[0]), []).append(_Put(row, path[1:], new))
    return _with_columns(batch, puts)


def blank(batch: pa.RecordBatch, paths: Mapping[int, Iterable[KeyPath]]) -> pa.RecordBatch:
    """The batch with null at these paths, by the position of the row."""
    puts: dict[str, list[_Put]] = {}
    for row, its_paths in paths.items():
        for path in its_paths:
            puts.setdefault(str(path[0]), []).append(_Put(row, path[1:], None))
    return _with_columns(batch, puts)


def _with_columns(batch: pa.RecordBatch, puts: Mapping[str, list[_Put]]) -> pa.RecordBatch:
    names = batch.schema.names
    columns = [
        _put(column, puts[name]) if name in puts else column for name, column in zip(names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _put(array: pa.Array, puts: list[_Put]) -> pa.Array:
    kind = array.type
    whole = any(not put.path for put in puts)
    if whole and (pa.types.is_primitive(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return _put_values(array, puts)
    if not whole and pa.types.is_struct(kind):
        return _put_in_struct(array, puts)
    if not whole and (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return _put_in_list(array, puts)
    return _rebuilt(array, puts)


def _put_values(array: pa.Array, puts: list[_Put]) -> pa.Array:
    values = {put.at: put.value for put in puts}
    mask = np.zeros(len(array), dtype=bool)
    mask[list(values)] = True
    return pc.replace_with_mask(array, mask, pa.array([values[at] for at in sorted(values)], array.type))


def _put_in_struct(array: pa.StructArray, puts: list[_Put]) -> pa.Array:
    inner: dict[str | int, list[_Put]] = {}
    for at, path, value in puts:
        inner.setdefault(path[0], []).append(_Put(at, path[1:], value))
    fields = list(array.type)
    children = [array.field(position) for position in range(len(fields))]
    children = [
        _put(child, inner[field.name]) if field.name in inner else child
        for field, child in zip(fields, children, strict=True)
    ]
    return pa.StructArray.from_arrays(children, fields=fields, mask=_nulls(array))


def _put_in_list(array: pa.ListArray, puts: list[_Put]) -> pa.Array:
    offsets = array.offsets.to_numpy()
    inner = [_Put(int(offsets[at]) + int(path[0]), path[1:], value) for at, path, value in puts]
    values = _put(array.values, inner)
    own_offsets = pa.array(offsets, array.offsets.type)
    return type(array).from_arrays(own_offsets, values, type=array.type, mask=_nulls(array))


def _nulls(array: pa.Array) -> pa.Array | None:
    return array.is_null() if array.null_count else None


def _rebuilt(array: pa.Array, puts: list[_Put]) -> pa.Array:
    """Any other type, by way of Python objects."""
    values = array.to_pylist()
    for at, path, value in puts:
        values[at] = assigned(values[at], path, value)
    return pa.array(values, array.type)


def assigned(container: Any, path: KeyPath, value: str | None) -> Any:
    """A copy of the row or value, with another value at the path."""
    if not path:
        return value
    if isinstance(container, dict):
        return {**container, path[0]: assigned(container[path[0]], path[1:], value)}
    members = list(container)
    members[int(path[0])] = assigned(members[int(path[0])], path[1:], value)
    return type(container)(members)


def batches(file: pq.ParquetFile, row_group: int) -> Iterator[pa.RecordBatch]:
    """A row group as batches: one, unless it is larger than `MOST_BYTES` uncompressed."""
    group = file.metadata.row_group(row_group)
    parts = max(1, -(-group.total_byte_size // MOST_BYTES))
    return iter(file.iter_batches(max(1, -(-group.num_rows // parts)), row_groups=[row_group]))


def all_rows(path: Path) -> Iterator[dict[str, Any] | RowError]:
    """The rows of a file, see `rows`."""
    with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:  # page by page
        for row_group in range(file.num_row_groups):
            for batch in batches(file, row_group):
                yield from rows(batch)


def writer_options(file: pq.ParquetFile) -> dict[str, Any]:
    """Options for `pq.ParquetWriter` that write as `file` was written: version, compression, dictionaries, statistics.

    The level of the compression is not recorded in a file; pyarrow's default is used.
    """
    metadata = file.metadata
    options: dict[str, Any] = {"store_schema": b"ARROW:schema" in (metadata.metadata or {})}
    if metadata.format_version in _VERSIONS:
        options["version"] = metadata.format_version
    if metadata.num_row_groups and metadata.num_columns:
        group = metadata.row_group(0)
        columns = [group.column(position) for position in range(group.num_columns)]
        options["compression"] = _by_column({c.path_in_schema: _compression(c) for c in columns})
        options["use_dictionary"] = _where({c.path_in_schema: c.has_dictionary_page for c in columns})
        options["write_statistics"] = _where({c.path_in_schema: c.is_stats_set for c in columns})
    return options


def _compression(column: pq.ColumnChunkMetaData) -> str:
    return "NONE" if column.compression == "UNCOMPRESSED" else str(column.compression)


def _by_column(values: dict[str, str]) -> dict[str, str] | str:
    """One value where all columns have it: the writer may call nested columns otherwise than the file does."""
    return values if len(set(values.values())) > 1 else next(iter(values.values()))


def _where(flags: dict[str, bool]) -> bool | list[str]:
    return [name for name, flag in flags.items() if flag] if len(set(flags.values())) > 1 else all(flags.values())
