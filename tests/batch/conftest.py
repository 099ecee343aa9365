"""Small files of traces, and a quick way to guard them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.batch.rows import lines, trace

from antidistill.batch.job import Job, guard_files


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """60 traces as JSON lines."""
    path = tmp_path / "traces.jsonl"
    path.write_bytes(lines([trace(n) for n in range(60)]))
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """The same 60 traces as Parquet, in row groups of 16."""
    path = tmp_path / "traces.parquet"
    pq.write_table(pa.Table.from_pylist([trace(n) for n in range(60)]), path, row_group_size=16, compression="zstd")
    return path


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A key file."""
    path = tmp_path / "secret.key"
    path.write_bytes(bytes(range(32)))
    return path


@pytest.fixture
def guard(tmp_path: Path, key_file: Path) -> Callable[..., Any]:
    """Guards a file with a fixed key; every field of `Job` can be given. Chunks are small, so that there are many."""

    def run(source: Path, out: Path, **fields: Any) -> Any:
        defaults = {"method": "traceguard", "options": {"k": 2}, "key_file": key_file, "chunk_bytes": 4096}
        return guard_files(Job(source=source, out=out, **(defaults | fields)))

    return run


@pytest.fixture(scope="session")
def ray() -> Iterator[Any]:
    """A Ray of two cores on this machine."""
    ray = pytest.importorskip("ray", reason="needs the extra ray")
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100 << 20, log_to_driver=False)
    yield ray
    ray.shutdown()
