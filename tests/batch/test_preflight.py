"""What is looked at before anything is written."""

import pyarrow as pa
import pytest
from tests.batch.rows import lines, trace

from antidistill.batch.preflight import Extent, check_leaks, extent, fingerprint
from antidistill.errors import InputError, UsageError
from antidistill.formats.leaks import Leaks


def test_a_fingerprint_tells_files_apart_by_size_beginning_and_end(tmp_path):
    path = tmp_path / "a"
    seen = []
    for content in (b"", b"a", b"b", b"a" * (3 << 20), b"a" * (3 << 20) + b"b", b"b" + b"a" * (3 << 20)):
        path.write_bytes(content)
        seen.append(fingerprint(path, Leaks.GUARD))
    assert [one["size"] for one in seen] == [0, 1, 1, 3 << 20, (3 << 20) + 1, (3 << 20) + 1]
    assert len({one["sample_sha256"] for one in seen}) == 6


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        fingerprint(tmp_path / "nowhere", Leaks.GUARD)


def test_how_large_the_input_is(traces, table, tmp_path):
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(pa.compress(b"{}\n", "gzip", asbytes=True))
    assert extent([traces, traces]) == Extent(2 * traces.stat().st_size, None)
    assert extent([table, table]).rows == 120
    assert extent([table]).bytes > 1000
    assert extent([traces, table]) == extent([traces, packed]) == Extent(None, None)


def test_the_first_row_of_every_shard_is_looked_at(traces, tmp_path):
    counted, broken = tmp_path / "counted.jsonl", tmp_path / "broken.jsonl"
    counted.write_bytes(lines([trace(1) | {"token_count": 3}]))
    broken.write_bytes(b"{cut\n" + lines([trace(1) | {"token_count": 3}]))
    check_leaks([traces, broken], Leaks.GUARD)
    check_leaks([traces, counted], Leaks.KEEP)
    with pytest.raises(UsageError, match="token_count"):
        check_leaks([traces, counted], Leaks.GUARD)
