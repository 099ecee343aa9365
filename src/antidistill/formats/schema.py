"""What the schema of a Parquet file tells: columns that betray an edit by their names, and how they go without a trace."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import pyarrow as pa

from antidistill.formats.leaks import Leak
from antidistill.formats.telltales import kind_of

_Batch = TypeVar("_Batch", pa.RecordBatch, pa.Table)


def betrays_inside(kind: pa.DataType) -> bool:
    """Whether a field inside a type has a name that betrays an edit, such as token ids in a struct."""
    if isinstance(kind, pa.BaseExtensionType):
        return betrays_inside(kind.storage_type)
    if not pa.types.is_nested(kind):
        return False
    inner = [kind.field(position) for position in range(kind.num_fields)]
    return any(bool(kind_of(field.name)) or betrays_inside(field.type) for field in inner)


def without(batch: _Batch, names: Collection[str]) -> _Batch:
    """The batch or table without these columns, of which the metadata of datasets and pandas tells no more either."""
    if not names:
        return batch
    return batch.drop_columns(list(names)).replace_schema_metadata(_without(batch.schema.metadata, names))


def _without(metadata: Mapping[bytes, bytes] | None, names: Collection[str]) -> dict[bytes, bytes]:
    left = dict(metadata or {})
    for key, strip in ((b"huggingface", _strip_features), (b"pandas", _strip_columns)):
        if key in left:
            try:
                notes = json.loads(left[key])
                strip(notes, names)
            except (ValueError, TypeError, AttributeError):  # written by others in a way that is not known
                del left[key]
            else:
                left[key] = json.dumps(notes).encode()
    return left


def _strip_features(notes: dict[str, Any], names: Collection[str]) -> None:
    """Removes columns from what `datasets` notes about a file."""
    features = notes.get("info", {}).get("features") or {}
    for name in names:
        features.pop(name, None)


def _strip_columns(notes: dict[str, Any], names: Collection[str]) -> None:
    """Removes columns from what pandas notes about a file."""
    columns = [c for c in notes.get("columns", []) if not {c.get("name"), c.get("field_name")} & set(names)]
    indexes = [i for i in notes.get("index_columns", []) if not isinstance(i, str) or i not in names]
    notes |= {"columns": columns, "index_columns": indexes}


def leaking_columns(schema: pa.Schema) -> list[Leak]:
    """Columns whose name and type say that they betray an edit of the reasoning; those that `rows` leaves out as well.

    They can be removed from the whole file.
    """
    kinds = [(field.name, kind_of(field.name), _innermost(field.type)) for field in schema]
    return [Leak((name,), kind) for name, kind, inner in kinds if kind and _may_tell(kind, inner)]


def _innermost(kind: pa.DataType) -> pa.DataType:
    while pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
    return kind


def _may_tell(kind: str, inner: pa.DataType) -> bool:
    if kind in ("hash", "signature", "encrypted reasoning"):
        return not pa.types.is_boolean(inner)
    number = pa.types.is_integer(inner) or pa.types.is_floating(inner)
    return number or (kind == "log probabilities" and pa.types.is_struct(inner))
