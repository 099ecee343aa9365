"""Where the time of guarding a Parquet file goes: each part by itself, in microseconds of CPU time a row.

The input is that of `benchmarks/guard.py`; each part is done over the whole file in one thread, the parts take turns. Prints
JSON: the median over the repeats with a 95 % interval of it. `guard` is the edit alone, `ledger` what a sealed ledger adds to it,
`write` encodes what the guarding leaves, `write others` all columns but the reasoning, `whole` is the guard from file to file,
with what no part shows (files, journal, start). Differences are made within a repeat.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import guard
import machine
from antidistill import defenses
from antidistill.batch.account import Account
from antidistill.batch.arrow import guard_batch
from antidistill.batch.chunks import open_parquet
from antidistill.batch.guardian import Guardian, Settings
from antidistill.batch.ledger import LedgerText
from antidistill.formats.parquet import writer_options

KEY = bytes(range(32))
BATCH_ROWS = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=50, help="size of the traces as JSON lines")
    parser.add_argument("--repeats", type=int, default=7, help="at least 6, or there is no interval")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = guard._write_input(guard.TRACES, arguments.megabytes * 1e6, folder)
        parts = _measure(_ways(folder / "traces.parquet"), rows, arguments.repeats)
    report = {"unit": "us a row", "rows": rows, "parts": parts, "machine": machine.describe()}
    print(json.dumps(report, indent=2))


def _ways(source: Path) -> dict[str, Callable[[], Any]]:
    file = open_parquet(source)
    options = writer_options(file)
    groups = _read(file)
    guarded = [pa.Table.from_batches(group) for group in _guarded(groups, LedgerText.SEALED)]
    others = [table.drop_columns("reasoning") for table in guarded]
    return {
        "read": lambda: _read(file),
        "guard": lambda: _guard_each(groups, None),
        "guard with ledger": lambda: _guard_each(groups, LedgerText.SEALED),
        "write": lambda: _written(guarded, options),
        "write others": lambda: _written(others, options),
        "whole": lambda: guard._guard(source, source.with_name("guarded.parquet")),
        "read-and-write": lambda: guard._read_and_write(source, source.with_name("same.parquet")),
    }


def _read(file: pq.ParquetFile) -> list[list[pa.RecordBatch]]:
    return [
        list(file.iter_batches(BATCH_ROWS, row_groups=[number], use_threads=False))
        for number in range(file.num_row_groups)
    ]


def _guarded(groups: list[list[pa.RecordBatch]], ledger: LedgerText | None) -> list[list[pa.RecordBatch]]:
    spec = defenses.spec(defenses.make("traceguard", key=KEY, k=20))
    guardian = Guardian(Settings(spec, KEY, bytes(32), ledger))
    account = Account(guardian, 0)
    return [[guard_batch(guardian, batch, 0, account) for batch in group] for group in groups]


def _guard_each(groups: list[list[pa.RecordBatch]], ledger: LedgerText | None) -> None:
    """One row group after the other, and none is kept: as a run does it, in memory that is used again."""
    for group in groups:
        _guarded([group], ledger)


def _written(tables: list[pa.Table], options: dict[str, Any]) -> None:
    for table in tables:
        with pq.ParquetWriter(pa.BufferOutputStream(), table.schema, **options) as writer:
            writer.write_table(table, row_group_size=table.num_rows)


def _measure(ways: dict[str, Callable[[], Any]], rows: int, repeats: int) -> dict[str, guard.Estimate]:
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.process_time()
            way()
            found[name].append((time.process_time() - start) / rows * 1e6)
    pairs = zip(found.pop("guard with ledger"), found["guard"], strict=True)
    found["ledger"] = [both - alone for both, alone in pairs]
    return {name: guard._estimate(values) for name, values in found.items()}


if __name__ == "__main__":
    main()
