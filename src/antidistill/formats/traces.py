"""Reads traces from files of any dialect, and writes them as plain ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from antidistill.errors import OutputError, RowError
from antidistill.formats.columns import ANSWERS, folded
from antidistill.formats.dialects import plan
from antidistill.formats.files import SUFFIXES, is_parquet, numbered_rows, packing_of, place, sources
from antidistill.formats.found import Found, Row
from antidistill.formats.locate import locate
from antidistill.trace import Trace


def read(path: str | Path) -> Iterator[Trace]:
    """The traces of a file, a folder of shards or a pattern, one after the other, in any dialect.

    The columns that are no part of a trace become its `meta`. A trace whose row has no id is called after the number of
    its row in its file, from 1. Rows that hold no reasoning are passed over.

    Raises:
        InputError: a file is missing, damaged or of a kind that is not read.
        RowError: a row cannot be read or is of no known dialect; the message says which.
    """
    for file in sources(path):
        for number, row in numbered_rows(file):
            try:
                found = locate(row, str(number))
            except RowError as error:
                raise RowError(f"{place(file, number)}: {error}") from None
            yield from (_with_meta(one, row) for one in found)


def _with_meta(found: Found, row: Row) -> Trace:
    trace, own = found.trace, _own_columns(found, row)
    meta = {name: value for name, value in row.items() if name not in own}
    return Trace(trace.id, trace.prompt, trace.reasoning, trace.answer, meta)


def _own_columns(found: Found, row: Row) -> set[Any]:
    """The columns that the trace was taken from."""
    columns = plan(tuple(row))
    answers = [name for _, names in columns.reasoning for name in names]
    given = [name for name in columns.ids if row[name] is not None][:1]
    asked = [name for name in columns.prompts if row[name] == found.trace.prompt][:1]
    answered = [name for name in answers if row[name] == found.trace.answer][:1]
    return {at.path[0] for at in found.places}.union(given, asked, answered)


def write(path: str | Path, traces: Iterable[Trace], *, overwrite: bool = False) -> None:
    """Writes traces as rows `id, prompt, reasoning, answer` and one column for each key of `meta`.

    The end of the name decides between Parquet and JSON lines, which may be compressed. The answer is called `response`
    if `meta` has an answer of its own, so that `read` gives the same traces back. JSON lines are written one by one, a
    Parquet file is built in memory. The file gets its name when it is whole.

    Args:
        path: the file.
        traces: the traces; they may come from `read`.
        overwrite: whether a file of this name is replaced.

    Raises:
        OutputError: the file is there already, cannot be written, or cannot hold what is in `meta`.
    """
    path = Path(path)
    if not path.name.lower().endswith(SUFFIXES):
        raise OutputError(f"{path} is not written: its name must end in {', '.join(SUFFIXES)}.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} is there already: choose another name or allow to overwrite it.")
    with _whole_or_nothing(path) as draft:
        (_write_parquet if is_parquet(path) else _write_lines)(draft, map(_row, traces))


def _row(trace: Trace) -> dict[str, Any]:
    others = set(map(folded, trace.meta))
    answer = "answer" if others.isdisjoint(ANSWERS) else "response"
    own = {"id": trace.id, "prompt": trace.prompt, "reasoning": trace.reasoning, answer: trace.answer}
    clash = own.keys() & others
    if clash:
        raise OutputError(
            f"trace {trace.id!r} has {', '.join(sorted(clash))} in its meta, the name of a column: rename it."
        )
    return {**own, **trace.meta}


def _write_lines(draft: BinaryIO, rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        try:
            draft.write(orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
        except TypeError as error:
            raise OutputError(f"trace {row['id']!r} holds what JSON cannot ({error}): change or remove it.") from error


def _write_parquet(draft: BinaryIO, rows: Iterable[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = list(rows)
    names = dict.fromkeys(name for row in rows for name in row) or dict.fromkeys(
        ("id", "prompt", "reasoning", "answer")
    )
    try:
        kind = None if rows else pa.string()
        table = pa.table({name: pa.array([row.get(name) for row in rows], kind) for name in names})
    except pa.ArrowException as error:
        raise OutputError(
            f"the meta of the traces does not fit into columns ({error}): write .jsonl instead."
        ) from error
    pq.write_table(table, draft, compression="zstd")


@contextmanager
def _whole_or_nothing(path: Path) -> Iterator[BinaryIO]:
    draft = path.with_name(f".{path.name}.part")
    try:
        with _opened(draft, packing_of(path)) as stream:
            yield stream
        draft.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error}).") from error
    finally:
        draft.unlink(missing_ok=True)


def _opened(draft: Path, packing: str | None) -> BinaryIO:
    if packing is None:
        return draft.open("wb")
    import pyarrow as pa

    return cast(BinaryIO, pa.output_stream(str(draft), compression=packing))
