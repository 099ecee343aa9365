"""What `guard` tells while it runs."""

import re

import pytest
from tests.batch.rows import lines, trace

from antidistill.batch.job import Job, guard_files
from antidistill.cli import progress


def test_rate_and_time_left_are_told_where_there_is_no_terminal(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(lines([trace(n) for n in range(200)]))
    with progress.Progress(None) as shown:
        guard_files(Job(source=source, out=out, method="traceguard", chunk_bytes=2000), shown)
    told = capfd.readouterr().err.splitlines()
    assert re.fullmatch(r"0 MB, \d+ MB/s(, \d+ s left)?", told[5])
    assert any("s left" in line for line in told)
    assert "200 rows: 171 guarded" in told[-2]


def test_a_resumed_run_says_where_it_goes_on(tmp_path, capfd):
    class Stopped(progress.Progress):
        def on_chunk(self, tally):
            raise KeyboardInterrupt

    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(lines([trace(n) for n in range(200)]))
    job = {"source": source, "out": out, "method": "traceguard", "chunk_bytes": 2000}
    with pytest.raises(KeyboardInterrupt), Stopped(None) as shown:
        guard_files(Job(**job), shown)
    with progress.Progress(None) as shown:
        guard_files(Job(**job, resume=True), shown)
    assert re.search(r"^resumed after [1-9] rows\.$", capfd.readouterr().err, re.M)
