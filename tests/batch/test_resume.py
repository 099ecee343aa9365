"""Runs that are killed, fail or are stopped: nothing is lost or doubled, and the next run goes on."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from itertools import count

import pyarrow.parquet as pq
import pytest
from tests.batch.rows import lines, mixed, trace

from antidistill.batch.ledger import LedgerText
from antidistill.batch.restore import restore_files
from antidistill.errors import OutputError, UsageError
from antidistill.formats.leaks import Leaks

SCRIPT = textwrap.dedent("""
    import os, sys
    from pathlib import Path
    from antidistill.batch import drafts, job, journal

    source, out, ledger, key, jobs, kill, chunk_bytes = sys.argv[1:]
    step = 0

    def point():
        global step
        step += 1
        if str(step) == kill:
            os.kill(os.getpid(), 9)

    def deadly(function):
        def run(*arguments, **named):
            point()
            result = function(*arguments, **named)
            point()
            return result
        return run

    if __name__ == "__main__":
        for owner, name in ((drafts.Draft, "append"), (drafts.Draft, "settle"), (drafts.Draft, "publish"), (journal.Journal, "append"),
                            (job.Spool, "remove")):
            setattr(owner, name, deadly(getattr(owner, name)))
        job.guard_files(job.Job(source=Path(source), out=Path(out), ledger=Path(ledger), key_file=Path(key), jobs=int(jobs),
                                method="traceguard", options={"k": 2}, chunk_bytes=int(chunk_bytes), resume=True))
        print(step)
""")


@pytest.fixture
def killed(tmp_path, key_file):
    """Runs guard in a process that kills itself at a step (0: never); returns its exit code and its number of steps."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    def run(source, out, ledger, kill=0, jobs=1, chunk_bytes=4096):
        command = [sys.executable, script, source, out, ledger, key_file, *map(str, (jobs, kill, chunk_bytes))]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        assert process.returncode in (0, -9), process.stderr
        return process.returncode, int(process.stdout or 0)

    return run


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_run_that_is_killed_at_every_step_ends_with_the_same_bytes(guard, killed, table, tmp_path, key_file, kind):
    source = table if kind == "parquet" else mixed(tmp_path / "in.jsonl", bad=(7, 31))
    if kind == "parquet":  # one row group that is cut into parts
        pq.write_table(pq.read_table(table), table)
    chunk_bytes = 100 if kind == "parquet" else 4096
    whole, out, ledger = tmp_path / f"whole.{kind}", tmp_path / f"out.{kind}", tmp_path / "ledger"
    guard(source, whole, chunk_bytes=chunk_bytes)
    for run in count(1):
        code, _ = killed(source, out, ledger, kill=3 + (5 if kind == "parquet" else 2) * run, chunk_bytes=chunk_bytes)
        if code == 0:
            break
    assert run > 5
    assert out.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob(".*"))
    if kind == "jsonl":
        rejected = tmp_path / "out.jsonl.rejected.jsonl"
        assert rejected.read_bytes() == (tmp_path / "whole.jsonl.rejected.jsonl").read_bytes()
        restore_files(out, ledger, tmp_path / "back.jsonl", key_file=key_file, rejected=rejected)
        assert (tmp_path / "back.jsonl").read_bytes() == source.read_bytes()
    else:
        restore_files(out, ledger, tmp_path / "back.parquet", key_file=key_file)
        assert pq.read_table(tmp_path / "back.parquet").equals(pq.read_table(source))


def test_a_kill_near_the_end_is_no_trouble(killed, tmp_path):
    source = mixed(tmp_path / "in.jsonl", n=20, bad=(3,))
    _, steps = killed(source, tmp_path / "first.jsonl", tmp_path / "first.ledger")
    expected = (tmp_path / "first.jsonl").read_bytes()
    for back in range(0, 14, 2):
        out, ledger = tmp_path / f"{back}.jsonl", tmp_path / f"{back}.ledger"
        assert killed(source, out, ledger, kill=steps - back)[0] == -9
        assert killed(source, out, ledger)[0] == 0
        assert out.read_bytes() == expected
        assert ledger.exists()
        assert (tmp_path / f"{back}.jsonl.rejected.jsonl").exists()
        assert not list(tmp_path.glob(".*"))


def test_workers_end_with_a_killed_parent_and_the_run_goes_on(guard, killed, tmp_path):
    source = mixed(tmp_path / "in.jsonl", n=3000)
    guard(source, tmp_path / "whole.jsonl")
    script = [
        sys.executable,
        tmp_path / "script.py",
        source,
        tmp_path / "out.jsonl",
        tmp_path / "ledger",
        tmp_path / "secret.key",
        "2",
        "0",
        "4096",
    ]
    journal = tmp_path / ".out.jsonl.guarding" / "journal.jsonl"
    with subprocess.Popen(script, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        while not (journal.exists() and journal.read_bytes().count(b"\n") > 3) and process.poll() is None:
            time.sleep(0.01)
        workers = children(process.pid)
        process.send_signal(signal.SIGKILL)
    assert workers
    deadline = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{worker}") for worker in workers) and time.monotonic() < deadline:  # noqa: PTH110
        time.sleep(0.05)
    assert not [worker for worker in workers if os.path.exists(f"/proc/{worker}")]  # noqa: PTH110
    assert killed(source, tmp_path / "out.jsonl", tmp_path / "ledger", jobs=2)[0] == 0
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123
        return file.read().split()


def test_a_dead_worker_is_an_error_and_the_run_goes_on(guard, tmp_path, monkeypatch):
    source = mixed(tmp_path / "in.jsonl")
    monkeypatch.setattr("antidistill.batch.local._begin", dying)
    with pytest.raises(OutputError, match="a worker process died"):
        guard(source, tmp_path / "out.jsonl", jobs=2)
    monkeypatch.undo()
    assert guard(source, tmp_path / "out.jsonl", resume=True).tally.rows == 60


def dying(work):
    os._exit(1)


def interrupted(killed, source, out, ledger):
    assert killed(source, out, ledger, kill=40)[0] == -9


def test_an_interrupted_run_is_not_overwritten_by_accident(guard, killed, tmp_path):
    source = mixed(tmp_path / "in.jsonl")
    interrupted(killed, source, tmp_path / "out.jsonl", tmp_path / "ledger")
    with pytest.raises(OutputError, match="--resume"):
        guard(source, tmp_path / "out.jsonl", ledger=tmp_path / "ledger")
    assert guard(source, tmp_path / "out.jsonl", ledger=tmp_path / "ledger", force=True).tally.rows == 60


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"options": {"k": 3}}, "method"),
        ({"ledger_text": LedgerText.HASH}, "ledger"),
        ({"leaks": Leaks.DROP}, "leaks"),
        ({}, "input"),
    ],
)
def test_a_run_is_resumed_with_its_own_options_only(guard, killed, tmp_path, fields, named):
    source = mixed(tmp_path / "in.jsonl")
    interrupted(killed, source, tmp_path / "out.jsonl", tmp_path / "ledger")
    if not fields:
        source.write_bytes(source.read_bytes() + lines([trace(1)]))
    with pytest.raises(UsageError, match=f"another .*{named}"):
        guard(source, tmp_path / "out.jsonl", ledger=tmp_path / "ledger", resume=True, **fields)


def test_resume_after_the_end_gives_the_same_and_replaces_nothing_else(guard, traces, tmp_path):
    guard(traces, tmp_path / "out.jsonl", ledger=tmp_path / "ledger")
    before = (tmp_path / "out.jsonl").read_bytes()
    assert guard(traces, tmp_path / "out.jsonl", ledger=tmp_path / "ledger", resume=True).tally.rows == 60
    assert (tmp_path / "out.jsonl").read_bytes() == before
    with pytest.raises(OutputError, match="differs"):
        guard(traces, tmp_path / "out.jsonl", ledger=tmp_path / "ledger", resume=True, options={"k": 1})
    assert (tmp_path / "out.jsonl").read_bytes() == before


def test_a_disk_that_is_full_is_an_error_and_the_run_goes_on(guard, tmp_path):
    source = mixed(tmp_path / "in.jsonl", n=200)
    guard(source, tmp_path / "whole.jsonl")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            guard(source, tmp_path / "out.jsonl", ledger=tmp_path / "ledger")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "out.jsonl").exists()
    guard(source, tmp_path / "out.jsonl", ledger=tmp_path / "ledger", resume=True)
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_input_that_changed_in_the_middle_is_another_input(guard, killed, tmp_path):
    source = mixed(tmp_path / "in.jsonl")
    interrupted(killed, source, tmp_path / "out.jsonl", tmp_path / "ledger")
    before = source.stat()
    source.write_bytes(source.read_bytes())
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    with pytest.raises(UsageError, match="another input"):
        guard(source, tmp_path / "out.jsonl", ledger=tmp_path / "ledger", resume=True)


def test_removed_text_is_in_no_file_of_a_run_that_was_killed(killed, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_bytes(lines([trace(n) for n in range(60) if n % 7]))
    interrupted(killed, source, tmp_path / "out.jsonl", tmp_path / "ledger")
    others = [path for path in tmp_path.rglob("*") if path.is_file() and path != source]
    assert len(others) > 4
    for path in others:
        assert b"is that right" not in path.read_bytes(), path
