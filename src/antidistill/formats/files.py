"""Files of rows: which files a path names, and the rows in them, one after the other."""

from __future__ import annotations

import glob
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from antidistill.errors import InputError, RowError
from antidistill.formats.jsonl import decode

LINES = (".jsonl", ".ndjson", ".json")
PACKED = {".gz": "gzip", ".zst": "zstd"}
PARQUET = ".parquet"
SUFFIXES = (*LINES, *(line + packed for line in LINES for packed in PACKED), PARQUET)

_NOT_SHARDS = frozenset(("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "config.json"))
_REJECTED = ".rejected.jsonl"
_BUFFER = 1 << 20


def sources(path: str | Path) -> list[Path]:
    """The files of rows that `path` names, sorted: one file, all in a folder and below, or all that a pattern matches.

    In folders and patterns, hidden files, the JSON files that `datasets` keeps beside its shards and files of rejected
    rows are left out; what is named without a pattern is read.

    Raises:
        InputError: there is no such file, or it is of a kind that is not read.
    """
    path = Path(path)
    if path.is_dir():
        found = [file for file in sorted(path.rglob("*")) if _is_shard(file, path)]
        return found or _complain(f"{path} holds no file that ends in {_allowed()}.")
    if path.exists():
        return [path] if _is_read(path) else _complain(f"{path} is not read: its name must end in {_allowed()}.")
    matches = map(Path, sorted(glob.glob(str(path), recursive=True)))  # noqa: PTH207
    found = [file for file in matches if _is_shard(file, _folder_of(path))]
    if found:
        return found
    if glob.has_magic(str(path)):
        _complain(f"no file that ends in {_allowed()} matches {path}; names with . or _ in front are left out.")
    return _complain(f"{path} does not exist: give a file, a folder of shards or a pattern such as 'data/*.parquet'.")


def _complain(message: str) -> list[Path]:
    raise InputError(message)


def _allowed() -> str:
    return ", ".join((*LINES, PARQUET)) + f" ({' or '.join(PACKED)} behind it for JSON lines)"


def _is_read(file: Path) -> bool:
    return file.name.lower().endswith(SUFFIXES)


def _folder_of(pattern: Path) -> Path:
    """The folder that a pattern starts in: what stands before its first wildcard."""
    return Path(*itertools.takewhile(lambda part: not glob.has_magic(part), pattern.parts))


def _is_shard(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    aside = file.name in _NOT_SHARDS or file.name.endswith(_REJECTED)
    return _is_read(file) and not hidden and not aside and file.is_file()


def is_parquet(file: Path) -> bool:
    """Whether the name says Parquet; JSON lines otherwise."""
    return file.name.lower().endswith(PARQUET)


def lines(file: Path) -> Iterator[bytes]:
    """The lines of a file, with their ends; decompressed if the name ends in .gz or .zst.

    Raises:
        InputError: the file cannot be read, or its compressed data is damaged or cut off.
    """
    try:
        with _opened(file) as stream:
            yield from stream
    except OSError as error:
        if error.errno is None:  # not the system's error but that of the decompression
            raise InputError(f"{file} is damaged or cut off ({error}): fetch it again.") from error
        raise InputError(f"{file} cannot be read ({error.strerror}).") from error


def _opened(file: Path) -> BinaryIO:
    packing = packing_of(file)
    if packing is None:
        return file.open("rb")
    import pyarrow as pa

    return io.BufferedReader(pa.input_stream(str(file), compression=packing), _BUFFER)


def packing_of(file: Path) -> str | None:
    """What pyarrow calls the compression that the name of a file of lines says; None for none."""
    return PACKED.get(file.suffix.lower())


def numbered_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a file with their numbers: the line in JSON lines, where blank lines count, else the row; from 1.

    Raises:
        InputError: the file cannot be read.
        RowError: a row cannot be read; the message says which.
    """
    for number, row in every_row(file):
        if isinstance(row, RowError):
            raise RowError(f"{place(file, number)}: {row}")
        yield number, row


def every_row(file: Path) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    """The same, with the reason in place of a row that cannot be read.

    Raises:
        InputError: the file cannot be read.
    """
    yield from _parquet_rows(file) if is_parquet(file) else _line_rows(file)


def place(file: Path, number: int) -> str:
    """How a message names a row."""
    return f"{file}, {'row' if is_parquet(file) else 'line'} {number}"


def _line_rows(file: Path) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    for number, line in enumerate(lines(file), 1):
        if line.isspace():
            continue
        if number == 1 and line.lstrip().startswith(b"["):
            raise InputError(f"{file} is one JSON array: write one object a line, for instance with jq -c '.[]'.")
        try:
            yield number, decode(line)
        except RowError as error:
            yield number, error


def _parquet_rows(file: Path) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    import pyarrow as pa

    from antidistill.formats import parquet

    try:
        yield from enumerate(parquet.all_rows(file), 1)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file} is no Parquet file that can be read ({error}): fetch or write it again.") from error
