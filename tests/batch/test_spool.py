"""Files that grow, a journal that says how far, and names that come last: whatever happens in between."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from antidistill.batch.results import Cursor, Done, Tally
from antidistill.batch.spool import Spool
from antidistill.batch.targets import Targets
from antidistill.errors import OutputError, UsageError

JOB = {"input": "a", "method": "b"}


@pytest.fixture
def files(tmp_path):
    return Targets(tmp_path / "out", [tmp_path / "out"], tmp_path / "out.rejected.jsonl", tmp_path / "ledger")


def done(n, rejected=b""):
    return Done(b"row %d\n" % n, b"entry %d\n" % n, rejected, Tally(guarded=1, bytes=10, rejected=bool(rejected)))


def begin(files, chunks):
    spool = Spool(files)
    spool.start(JOB, b"salt", b"header\n", overwrite=False)
    for n in range(chunks):
        spool.append(Cursor(0, n + 1), done(n))
    return spool


def finish(spool):
    spool.finish()
    spool.remove()
    spool.__exit__()


def test_files_get_their_names_when_they_are_whole(files, tmp_path):
    spool = begin(files, 3)
    assert not files.out.exists()
    finish(spool)
    assert files.out.read_bytes() == b"row 0\nrow 1\nrow 2\n"
    assert files.ledger.read_bytes() == b"header\nentry 0\nentry 1\nentry 2\n"
    assert {path.name for path in tmp_path.iterdir()} == {"out", "ledger"}


def test_ledger_and_rejected_rows_are_private(files):
    spool = begin(files, 1)
    spool.append(Cursor(0, 2), done(1, rejected=b"bad\n"))
    finish(spool)
    assert files.rejected.read_bytes() == b"bad\n"
    assert files.rejected.stat().st_mode & 0o077 == 0
    assert files.ledger.stat().st_mode & 0o077 == 0


def test_a_run_goes_on_where_it_stopped(files):
    begin(files, 2).__exit__()
    spool = Spool(files)
    assert spool.interrupted
    assert spool.resume(JOB, overwrite=False) == b"salt"
    assert spool.state.cursor == Cursor(0, 2)
    assert spool.state.tally == Tally(guarded=2, bytes=20)
    spool.append(Cursor(1, 0), done(2))
    finish(spool)
    assert files.out.read_bytes() == b"row 0\nrow 1\nrow 2\n"
    assert files.ledger.read_bytes() == b"header\nentry 0\nentry 1\nentry 2\n"


def grown(path: Path, by: bytes) -> None:
    path.write_bytes(path.read_bytes() + by)


@pytest.mark.parametrize("torn", ["data", "journal", "both", "lost"])
def test_half_a_chunk_is_cut_off(files, torn):
    spool = begin(files, 2)
    spool.__exit__()
    out, journal = spool.folder / "00000", spool.folder / "journal.jsonl"
    if torn in ("data", "both"):
        grown(out, b"row 2 is half do")
        grown(files.ledger.with_name(".ledger.guarding"), b"entr")
    if torn in ("journal", "both"):
        grown(journal, b'{"after": [0, 3], "en')
    if torn == "lost":  # what a power cut may do
        out.write_bytes(out.read_bytes()[:-3])
    again = Spool(files)
    again.resume(JOB, overwrite=False)
    first = again.state.cursor.row
    assert first == (1 if torn == "lost" else 2)
    for n in range(first, 4):
        again.append(Cursor(0, n + 1), done(n))
    finish(again)
    assert files.out.read_bytes() == b"".join(b"row %d\n" % n for n in range(4))
    assert files.ledger.read_bytes() == b"header\n" + b"".join(b"entry %d\n" % n for n in range(4))


def test_nothing_to_go_on_with(files):
    spool = Spool(files)
    assert not spool.interrupted
    assert spool.resume(JOB, overwrite=False) is None
    spool.__exit__()
    assert not spool.folder.exists()


def test_another_job_is_refused_and_named(files):
    begin(files, 1).__exit__()
    with Spool(files) as spool, pytest.raises(UsageError, match="another input and method"):
        spool.resume({"input": "z", "method": "y"}, overwrite=False)


def test_a_new_start_drops_what_was_there(files):
    begin(files, 3).__exit__()
    finish(begin(files, 1))
    assert files.out.read_bytes() == b"row 0\n"


@pytest.mark.parametrize("published", range(3))
def test_finishing_may_be_interrupted_anywhere(files, published):
    spool = begin(files, 2)
    spool.append(Cursor(1, 0), done(2, rejected=b"bad\n"))
    spool._complete()
    for draft in list(spool._drafts.values())[:published]:
        draft.publish()
    spool.__exit__()
    again = Spool(files)
    again.resume(JOB, overwrite=False)
    assert again.state.whole
    assert again.state.tally.rows == 4
    finish(again)
    assert files.out.read_bytes() == b"row 0\nrow 1\nrow 2\n"
    assert files.ledger.read_bytes().endswith(b"entry 2\n")
    assert files.rejected.read_bytes() == b"bad\n"


def test_another_file_is_not_replaced_unless_allowed(files):
    spool = begin(files, 1)
    files.out.write_bytes(b"mine")
    with pytest.raises(OutputError, match="differs from what this run gives"):
        spool.finish()
    assert files.out.read_bytes() == b"mine"
    spool.__exit__()
    again = Spool(files)
    again.resume(JOB, overwrite=True)
    finish(again)
    assert files.out.read_bytes() == b"row 0\n"


def test_an_equal_file_may_be_there(files):
    spool = begin(files, 1)
    files.out.write_bytes(b"row 0\n")
    finish(spool)
    assert files.out.read_bytes() == b"row 0\n"


def test_two_runs_cannot_write_one_output(files):
    with begin(files, 1), pytest.raises(OutputError, match="another run"):
        Spool(files)


def test_the_lock_ends_with_its_process(files, tmp_path):
    script = (
        "import os; from pathlib import Path; from antidistill.batch.spool import Spool; from antidistill.batch.targets import Targets\n"
        f"folder = Path({str(tmp_path)!r}); Spool(Targets(folder / 'out', [folder / 'out'], folder / 'r', None)); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    begin(files, 1).__exit__()


def test_the_journal_holds_no_text_of_a_trace(files):
    spool = begin(files, 1)
    spool.__exit__()
    records = [orjson.loads(line) for line in (spool.folder / "journal.jsonl").read_bytes().splitlines()]
    assert [set(record) for record in records] == [{"job", "salt", "overwrite", "ends"}, {"after", "tally", "ends"}]
