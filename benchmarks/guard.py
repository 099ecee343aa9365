"""Speed of `antidistill guard` on one core, beside a naive script and beside reading and writing alone.

JSON lines: `traceguard` with k = 20, key, sealed ledger and answer hashes, through the real kernel, file to file, in one process;
naive: json.loads, re.sub that deletes sentences that open with a marker, json.dumps; pass-through: orjson.loads and orjson.dumps,
nothing else. Parquet: the same guard, beside reading and writing the file with the same codec and encodings, and beside what no
guard can do without: reading the file and writing what it becomes (`floor`). Chats: the same traces as messages with think tags
in JSON lines, which take the long way, beside pass-through.

The input is the shared traces, repeated with distinct ids. Prints JSON. Each speed is the median over the repeats with a
95 % interval of it, in MB (10^6 bytes of JSON lines, or of the table in memory) per second of CPU time; the ways take turns, so
that what else runs on the machine hits them alike.
"""

import argparse
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import quantile_test

import machine
from antidistill.batch.job import Job, guard_files
from antidistill.formats.parquet import writer_options
from antidistill.text import native
from antidistill.text.markers import DEFAULT

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TRACES = [SHARED / "traces_gsm8k_4models.parquet", SHARED / "traces_illposed_stress.parquet"]
MARKER_SENTENCE = re.compile(
    rf"(?:^|(?<=[.!?\n]))\s*(?:{'|'.join(map(re.escape, DEFAULT.words))})\b[^.!?\n]*[.!?]?", re.I
)

Estimate = dict[str, float | int]


def main() -> None:
    arguments = _arguments()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        rows = _write_input(arguments.traces, arguments.megabytes * 1e6, folder)
        report = {
            "unit": "MB/s",
            "rows": rows,
            "jsonl": _lines(folder / "traces.jsonl", arguments.repeats),
            "parquet": _table(folder / "traces.parquet", arguments.repeats),
            "chats": _chats(folder / "traces.jsonl", arguments.repeats),
            "c_extension": native.BUILT,
            "machine": machine.describe(),
        }
    print(json.dumps(report, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", nargs="*", type=Path, default=TRACES, help="Parquet files of traces")
    parser.add_argument("--megabytes", type=float, default=200, help="size of the JSON lines")
    parser.add_argument("--repeats", type=int, default=7, help="at least 6, or there is no interval")
    parser.add_argument("--folder", type=Path, help="where to write; the usual temporary folder if not given")
    return parser.parse_args()


def _write_input(paths: list[Path], size: float, folder: Path) -> int:
    """The traces again and again with ids of their own, as JSON lines and as Parquet; the number of rows."""
    table = pa.concat_tables([pq.read_table(path) for path in paths], promote_options="default")
    rows = table.to_pylist()
    copies = 0
    with (
        (folder / "traces.jsonl").open("wb") as file,
        pq.ParquetWriter(folder / "traces.parquet", table.schema, compression="zstd") as writer,
    ):
        while file.tell() < size:
            copies += 1
            ids = [f"{row['id']}-{copies}" for row in rows]
            file.writelines(orjson.dumps(row | {"id": own}) + b"\n" for row, own in zip(rows, ids, strict=True))
            writer.write_table(table.set_column(0, "id", pa.array(ids)))
    return copies * len(rows)


def _lines(source: Path, repeats: int) -> dict[str, Estimate]:
    ways = {
        "guard": lambda: _guard(source, source.with_name("guarded.jsonl")),
        "naive": lambda: _naive(source, source.with_name("naive.jsonl")),
        "pass-through": lambda: _pass_through(source, source.with_name("same.jsonl")),
    }
    return _compare(ways, source.stat().st_size / 1e6, repeats)


def _chats(source: Path, repeats: int) -> dict[str, Estimate]:
    chats = source.with_name("chats.jsonl")
    with source.open("rb") as lines, chats.open("wb") as file:
        file.writelines(_chat(orjson.loads(line)) for line in lines)
    ways = {
        "guard": lambda: _guard(chats, chats.with_name("guarded-chats.jsonl")),
        "pass-through": lambda: _pass_through(chats, chats.with_name("same-chats.jsonl")),
    }
    return _compare(ways, chats.stat().st_size / 1e6, repeats)


def _chat(row: dict[str, str]) -> bytes:
    text = f"<think>\n{row['reasoning']}\n</think>\n\n{row['response']}"
    messages = [{"role": "user", "content": row["question"]}, {"role": "assistant", "content": text}]
    return orjson.dumps({"id": row["id"], "messages": messages}) + b"\n"


def _table(source: Path, repeats: int) -> dict[str, Estimate]:
    out, same = source.with_name("guarded.parquet"), source.with_name("same.parquet")
    _guard(source, out)
    guarded = pq.ParquetFile(out)
    groups = [guarded.read_row_group(number) for number in range(guarded.num_row_groups)]
    ways = {
        "guard": lambda: _guard(source, out),
        "read-and-write": lambda: _read_and_write(source, same),
        "floor": lambda: _read_and_write(source, same, groups),
    }
    return _compare(ways, pq.read_table(source).nbytes / 1e6, repeats)


def _guard(source: Path, out: Path) -> None:
    guard_files(
        Job(
            source=source,
            out=out,
            ledger=out.with_suffix(".ledger"),
            method="traceguard",
            options={"k": 20},
            force=True,
        )
    )


def _naive(source: Path, out: Path) -> None:
    with source.open() as lines, out.open("w") as target:
        for line in lines:
            row = json.loads(line)
            row["reasoning"] = MARKER_SENTENCE.sub("", row["reasoning"])
            target.write(json.dumps(row) + "\n")


def _pass_through(source: Path, out: Path) -> None:
    with source.open("rb") as lines, out.open("wb") as target:
        for line in lines:
            target.write(orjson.dumps(orjson.loads(line)) + b"\n")


def _read_and_write(source: Path, out: Path, instead: Sequence[pa.Table] = ()) -> None:
    """Reads each row group and writes it, or another one in its place."""
    file = pq.ParquetFile(source)
    with pq.ParquetWriter(out, file.schema_arrow, **writer_options(file)) as writer:
        for number in range(file.num_row_groups):
            group = file.read_row_group(number)
            writer.write_table(instead[number] if instead else group)


def _compare(ways: dict[str, Callable[[], None]], megabytes: float, repeats: int) -> dict[str, Estimate]:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.process_time()
            way()
            seconds[name].append(time.process_time() - start)
    speeds = {name: _estimate([megabytes / value for value in values]) for name, values in seconds.items()}
    ratios = {
        f"guard / {name}": _estimate([other / own for own, other in zip(seconds["guard"], values, strict=True)])
        for name, values in seconds.items()
        if name != "guard"
    }
    return speeds | ratios


def _estimate(values: list[float]) -> Estimate:
    interval = quantile_test(values, p=0.5).confidence_interval(0.95)
    value, low, high = (round(number, 2) for number in (median(values), interval.low, interval.high))
    return {"value": value, "low": low, "high": high, "n": len(values)}


if __name__ == "__main__":
    main()
