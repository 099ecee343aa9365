"""What is looked at before anything is written: which input this is, and whether it would betray the edits."""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from antidistill.batch.arrow import dropped_columns
from antidistill.batch.chunks import open_parquet
from antidistill.errors import InputError, RowError
from antidistill.formats import Row
from antidistill.formats.files import is_parquet, lines, packing_of
from antidistill.formats.jsonl import decode
from antidistill.formats.leaks import Leaks, check
from antidistill.formats.parquet import rows

SAMPLE_BYTES = 1 << 20
"""Of a source file, the first and the last bytes that its fingerprint covers."""


def fingerprint(path: Path, leaks: Leaks) -> dict[str, Any]:
    """Name, size and SHA-256 of a sample (first and last mebibyte) of a file; its schema where columns are dropped.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(SAMPLE_BYTES)
            size = path.stat().st_size
            file.seek(max(len(head), size - SAMPLE_BYTES))
            digest = hashlib.sha256(head + file.read(SAMPLE_BYTES)).hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    return {"name": path.name, "size": size, "sample_sha256": digest, **_schema(path, leaks)}


def _schema(path: Path, leaks: Leaks) -> dict[str, str]:
    """The columns of a Parquet file, if some of them are dropped."""
    if not is_parquet(path):
        return {}
    schema = open_parquet(path).schema_arrow
    return (
        {"schema": binascii.b2a_base64(schema.serialize(), newline=False).decode()}
        if dropped_columns(schema, leaks)
        else {}
    )


class Extent(NamedTuple):
    """How large the input is, about; None where only reading would tell.

    Attributes:
        bytes: decompressed.
        rows: known for Parquet only.
    """

    bytes: int | None
    rows: int | None


def extent(shards: Sequence[Path]) -> Extent:
    """How large the input is."""
    if all(map(is_parquet, shards)):
        metadata = [open_parquet(path).metadata for path in shards]
        groups = (one.row_group(number) for one in metadata for number in range(one.num_row_groups))
        return Extent(sum(group.total_byte_size for group in groups), sum(one.num_rows for one in metadata))
    if any(is_parquet(path) or packing_of(path) for path in shards):
        return Extent(None, None)
    return Extent(sum(path.stat().st_size for path in shards), None)


def check_leaks(shards: Sequence[Path], leaks: Leaks) -> None:
    """Raises UsageError if the first row of a shard would be refused under the policy: the others would be too."""
    for path in shards:
        check(_first_row_of_parquet(path, leaks) if is_parquet(path) else _first_row_of_lines(path), leaks)


def _first_row_of_parquet(path: Path, leaks: Leaks) -> Iterator[Row]:
    file = open_parquet(path)
    dropped = dropped_columns(file.schema_arrow, leaks)
    for batch in islice(file.iter_batches(1), 1):
        yield from (row for row in rows(batch.drop_columns(dropped)) if not isinstance(row, RowError))


def _first_row_of_lines(path: Path) -> Iterator[Row]:
    for line in islice(lines(path), 1):
        with suppress(RowError):
            yield decode(line)
