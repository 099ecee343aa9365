"""Peak memory of `antidistill guard` on a large file, process by process.

The input is the shared traces, repeated with distinct ids until the JSON lines, or the table in memory, have the wanted size. The
Parquet file is one row group, the hardest case. Prints JSON: for each kind of file the seconds and the peak resident memory (10^6
bytes) of the parent and of the largest worker. One run each, so there is no interval.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

import machine

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TRACES = [SHARED / "traces_gsm8k_4models.parquet", SHARED / "traces_illposed_stress.parquet"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where to write; the usual temporary folder if not given")
    arguments = parser.parse_args()
    table = pa.concat_tables([pq.read_table(path) for path in TRACES], promote_options="default")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        report = {
            "gigabytes": arguments.gigabytes,
            "jobs": arguments.jobs,
            "jsonl": _measure(_write_lines(table, arguments.gigabytes * 1e9, folder), arguments.jobs),
            "parquet": _measure(_write_table(table, arguments.gigabytes * 1e9, folder), arguments.jobs),
            "machine": machine.describe(),
        }
    print(json.dumps(report, indent=2))


def _write_lines(table: pa.Table, size: float, folder: Path) -> Path:
    rows = table.to_pylist()
    path = folder / "traces.jsonl"
    with path.open("wb") as file:
        copy = 0
        while file.tell() < size:
            copy += 1
            file.writelines(orjson.dumps(row | {"id": f"{row['id']}-{copy}"}) + b"\n" for row in rows)
    return path


def _write_table(table: pa.Table, size: float, folder: Path) -> Path:
    path = folder / "traces.parquet"
    ids = table["id"].to_pylist()
    copies = [pa.array([f"{one}-{copy}" for one in ids]) for copy in range(int(size / table.nbytes) + 1)]
    whole = pa.concat_tables([table.set_column(0, "id", own) for own in copies])
    pq.write_table(whole, path, compression="zstd", row_group_size=whole.num_rows)
    return path


def _measure(source: Path, jobs: int) -> dict[str, float]:
    out = source.with_name(f"guarded{source.suffix}")
    options = ["--method", "traceguard", "--ledger", str(out) + ".ledger", "--jobs", str(jobs)]
    command = [
        sys.executable,
        "-c",
        "from antidistill.cli.main import main; main()",
        "guard",
        str(source),
        str(out),
        *options,
    ]
    peaks: dict[str, int] = {}
    start = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            for pid in _family(process.pid):
                peaks[pid] = max(peaks.get(pid, 0), _peak(pid))
            time.sleep(0.2)
    parent = peaks.pop(str(process.pid))
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "parent_mb": round(parent / 1e6),
        "largest_worker_mb": round(max(peaks.values(), default=0) / 1e6),
    }


def _family(pid: int) -> Iterator[str]:
    yield str(pid)
    try:
        yield from Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return


def _peak(pid: str) -> int:
    """Peak resident memory of a process so far, in bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


if __name__ == "__main__":
    main()
