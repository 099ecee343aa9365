"""A guarded Parquet file is the file with other reasoning: row groups, codecs, encodings, types and all other values stay."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.batch.rows import trace

from antidistill import defenses
from antidistill.batch.adapters import GuardArrow
from antidistill.batch.restore import restore_files
from antidistill.formats.leaks import Leaks

KEY = bytes(range(32))
GROUPS = (300, 0, 1, 257)
"""Rows of the row groups: more and fewer than are read at once, and none."""


def rows(first: int, count: int) -> pa.Table:
    """Traces beside columns of many kinds."""
    numbers = range(first, first + count)
    table = pa.Table.from_pylist([trace(n) for n in numbers], pa.Table.from_pylist([trace(1)]).schema)
    more = {
        "model": pa.array([f"model {n % 3}" for n in numbers], pa.string()).dictionary_encode(),
        "sizes": pa.array([[n, None] if n % 2 else None for n in numbers], pa.list_(pa.int64())),
        "deep": pa.array([{"a": {"b": n}} for n in numbers], pa.struct({"a": pa.struct({"b": pa.int64()})})),
        "maybe": pa.array([None if n % 5 else n / 3 for n in numbers], pa.float32()),
    }
    for name, column in more.items():
        table = table.append_column(name, column)
    return table


def write(path: Path, **options: Any) -> list[pa.Table]:
    """Writes a file of row groups of these sizes."""
    groups = [rows(1000 * number, count) for number, count in enumerate(GROUPS)]
    with pq.ParquetWriter(path, groups[0].schema, **options) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=max(1, group.num_rows))
    return groups


def chunk_kinds(file: pq.ParquetFile) -> list[tuple[Any, ...]]:
    """Codec, encodings, statistics and number of values of every column chunk."""
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    return [(c.path_in_schema, c.compression, c.encodings, c.is_stats_set, c.num_values) for c in columns]


@pytest.mark.parametrize("compression", ["zstd", "snappy", "gzip", "none"])
@pytest.mark.parametrize("options", [{}, {"write_page_index": True}, {"use_dictionary": False, "version": "1.0"}])
def test_the_reasoning_changes_and_nothing_else(
    guard: Callable[..., Any], tmp_path: Path, key_file: Path, compression: str, options: dict[str, Any]
) -> None:
    source, out, ledger = tmp_path / "in.parquet", tmp_path / "out.parquet", tmp_path / "ledger"
    groups = write(source, compression=compression, **options)
    guard(source, out, ledger=ledger, chunk_bytes=1 << 20)
    before, after = pq.ParquetFile(source), pq.ParquetFile(out)
    by_hand = GuardArrow(defenses.make("traceguard", key=KEY, k=2))
    assert [after.read_row_group(number) for number in range(len(GROUPS))] == [by_hand(group) for group in groups]
    assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
    assert chunk_kinds(after) == chunk_kinds(before)
    restore_files(out, ledger, tmp_path / "back.parquet", key_file=key_file)
    assert pq.read_table(tmp_path / "back.parquet").equals(pa.concat_tables(groups))


def test_rejected_rows_and_dropped_columns_are_gone_and_come_back(
    guard: Callable[..., Any], tmp_path: Path, key_file: Path
) -> None:
    table = rows(0, 520).append_column("token_count", pa.array(range(520)))
    texts = table["reasoning"].to_pylist()
    raw = pa.array([b"So, \xff. Wait, no." if n in (3, 400) else text.encode() for n, text in enumerate(texts)])
    broken = pa.Array.from_buffers(pa.string(), 520, raw.buffers())
    table = table.set_column(table.schema.get_field_index("reasoning"), "reasoning", broken)
    source, out, ledger = tmp_path / "in.parquet", tmp_path / "out.parquet", tmp_path / "ledger"
    pq.write_table(table, source, row_group_size=260)
    guard(source, out, ledger=ledger, leaks=Leaks.DROP, chunk_bytes=1 << 20)
    guarded = pq.read_table(out)
    assert "token_count" not in guarded.column_names
    assert guarded["id"].to_pylist() == [f"t{n}" for n in range(520) if n not in (3, 400)]
    restore_files(out, ledger, tmp_path / "back.parquet", key_file=key_file, rejected=Path(f"{out}.rejected.jsonl"))
    back = pq.read_table(tmp_path / "back.parquet")
    assert back["token_count"].to_pylist() == list(range(520))
    assert back["reasoning"].cast(pa.binary()) == table["reasoning"].cast(pa.binary())


def test_files_that_take_turns_are_each_read_to_their_end(guard: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    groups = write(folder / "a.parquet", compression="zstd")
    pq.write_table(rows(7000, 40), folder / "b.parquet", row_group_size=9, compression="snappy")
    guard(folder, tmp_path / "out", chunk_bytes=1 << 20)
    found = {name: pq.read_table(tmp_path / "out" / name)["id"].to_pylist() for name in ("a.parquet", "b.parquet")}
    assert found["a.parquet"] == pa.concat_tables(groups)["id"].to_pylist()
    assert found["b.parquet"] == [f"t{n}" for n in range(7000, 7040)]
    assert pq.ParquetFile(tmp_path / "out" / "b.parquet").metadata.row_group(0).column(0).compression == "SNAPPY"
