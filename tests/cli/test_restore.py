"""`antidistill restore` as a user calls it."""

from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.batch.rows import lines, trace

from antidistill.cli.main import run

RESTORE = "restore out.jsonl ledger.jsonl back.jsonl --rejected out.jsonl.rejected.jsonl"


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """A guarded file with its ledger and one rejected row in the current folder; the original bytes."""
    monkeypatch.chdir(tmp_path)
    content = lines([trace(1)]) + b"{cut\n" + lines([trace(2)])
    Path("in.jsonl").write_bytes(content)
    assert run("guard in.jsonl out.jsonl --method traceguard --ledger ledger.jsonl".split()) == 1
    return content


def test_the_original_comes_back(guarded, capfd):
    capfd.readouterr()
    assert run(f"{RESTORE} --json -".split()) == 0
    captured = capfd.readouterr()
    assert orjson.loads(captured.out) == {"rows": 3, "missing": 0}
    assert "3 rows restored." in captured.err
    assert Path("back.jsonl").read_bytes() == guarded


def test_missing_rows_are_told(guarded, capfd):
    assert run("restore out.jsonl ledger.jsonl back.jsonl".split()) == 1
    assert "1 rows of the original are missing" in capfd.readouterr().err


def test_the_key_may_stand_elsewhere(guarded, capfd):
    Path("ledger.jsonl.key").rename("elsewhere.key")
    assert run("restore out.jsonl ledger.jsonl back.jsonl".split()) == 2
    error = capfd.readouterr().err
    assert "key file ledger.jsonl.key cannot be read" in error
    assert "give the key file of that run" in error
    assert "new key" not in error
    assert run(f"{RESTORE} --key-file elsewhere.key".split()) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("out.jsonl ledger.jsonl out.jsonl", "is an input file"),
        ("out.jsonl ledger.jsonl back.jsonl --json out.jsonl --force", "is an input file"),
        ("out.jsonl ledger.jsonl back.jsonl --json ledger.jsonl --force", "is an input file"),
        ("out.jsonl ledger.jsonl back.jsonl --json ledger.jsonl.key --force", "is an input file"),
        ("out.jsonl ledger.jsonl back.jsonl --json back.jsonl", "named twice"),
        ("out.jsonl ledger.jsonl back.jsonl --json in.jsonl", "exists"),
        ("out.jsonl ledger.jsonl in.jsonl", "exists"),
        ("in.jsonl ledger.jsonl back.jsonl", "do not belong together"),
        ("out.jsonl in.jsonl back.jsonl", "is not a ledger"),
        ("out.jsonl nowhere back.jsonl", "nowhere cannot be read"),
        ("nowhere ledger.jsonl back.jsonl", "nowhere does not exist"),
        ("out.jsonl ledger.jsonl back.jsonl --key-file in.jsonl", "sealed with key"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_writes_nothing(guarded, capfd, arguments, message):
    capfd.readouterr()
    before = sorted(Path().iterdir())
    assert run(["restore", *arguments.split()]) == 2
    error = capfd.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_parquet_shards_come_back_into_a_new_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = pa.Table.from_pylist([trace(1), trace(2)])
    Path("in").mkdir()
    pq.write_table(table, "in/a.parquet")
    pq.write_table(table, "in/b.parquet")
    assert run("guard in out --method traceguard --ledger ledger.jsonl".split()) == 0
    assert run("restore out ledger.jsonl back".split()) == 0
    assert [pq.read_table(path).equals(table) for path in sorted(Path("back").iterdir())] == [True, True]
