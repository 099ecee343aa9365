"""`antidistill guard` as a user calls it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from tests.batch.rows import lines, trace

from antidistill.cli.guard import parse_settings
from antidistill.cli.main import run
from antidistill.errors import UsageError


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A file of traces in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_bytes(lines([trace(n) for n in range(20)]))
    return Path("in.jsonl")


def test_a_file_becomes_a_guarded_file_with_ledger_and_summary(source, capfd):
    command = "guard in.jsonl out.jsonl --method traceguard --set k=2 --ledger ledger.jsonl --json summary.json"
    assert run(command.split()) == 0
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "new key: ledger.jsonl.key" in captured.err
    assert "20 rows: 17 guarded, 3 unchanged, 0 rejected" in captured.err
    summary = orjson.loads(Path("summary.json").read_bytes())
    assert summary["guarded"] == 17
    assert summary["reasons"]["unchanged"] == {"nothing to edit": 3}
    assert names() == ["in.jsonl", "ledger.jsonl", "ledger.jsonl.key", "out.jsonl", "summary.json"]


def test_the_summary_can_go_to_stdout(source, capfd):
    assert run("guard in.jsonl out.jsonl --method branches --mix 0.5 --json -".split()) == 0
    summary = orjson.loads(capfd.readouterr().out)
    assert summary["rows"] == 20
    assert summary["certificate"]["auroc_at_most"] == 0.75


def test_rejected_rows_are_told_by_the_exit_code(source, capfd):
    source.write_bytes(source.read_bytes() + b"{cut\n")
    assert run("guard in.jsonl out.jsonl --method traceguard".split()) == 1
    record = orjson.loads(Path("out.jsonl.rejected.jsonl").read_bytes())
    assert (record["line"], record["raw"]) == (21, "{cut\n")
    assert "1 rejected" in capfd.readouterr().err


def test_a_summary_replaces_no_file_unless_forced(source, capfd):
    Path("notes.md").write_text("mine")
    command = "guard in.jsonl out.jsonl --method traceguard --json notes.md"
    assert run(command.split()) == 2
    assert "notes.md exists" in capfd.readouterr().err
    assert Path("notes.md").read_text() == "mine"
    assert run([*command.split(), "--force"]) == 0


def test_rows_that_were_all_rejected_are_not_said_to_be_published(source, capfd):
    source.write_bytes(b"{cut\n")
    assert run("guard in.jsonl out.jsonl --method traceguard".split()) == 1
    assert "published" not in capfd.readouterr().err


def test_a_method_without_anything_to_remove_says_so(source, capfd):
    source.write_bytes(lines([trace(7)]))
    assert run("guard in.jsonl out.jsonl --method traceguard".split()) == 0
    assert "traceguard found nothing to remove" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("in.jsonl out.jsonl --method tracegaurd", "did you mean 'traceguard'"),
        ("in.jsonl out.jsonl --method traceguard --set kk=2", "did you mean 'k'"),
        ("in.jsonl out.jsonl --method traceguard --set k=-1", "k must be a whole number of at least 1"),
        ("in.jsonl out.jsonl --method branches --set share=2", "share must be"),
        ("in.jsonl out.jsonl --method branches --mix 7", "mix must be a probability"),
        ("in.jsonl out.jsonl --method traceguard --set k", "is not NAME=VALUE"),
        ("in.jsonl out.jsonl --method traceguard --set k=1 --set k=2", "given twice"),
        ("in.jsonl out.jsonl --method traceguard --ledger-text sealt", "did you mean 'sealed'"),
        ("in.jsonl out.jsonl --method traceguard --leaks dorp", "did you mean 'drop'"),
        ("in.jsonl out.jsonl --method traceguard --engine spark", "known: local, ray"),
        ("in.jsonl out.jsonl --method traceguard --jobs 0", "jobs must be"),
        ("in.jsonl out.jsonl --method traceguard --key-file nowhere", "key file nowhere cannot be read"),
        (
            "in.jsonl out.jsonl --method traceguard --key-file in.jsonl --ledger no/l.jsonl",
            "folder of no/l.jsonl does not exist",
        ),
        ("in.jsonl in.jsonl --method traceguard", "is an input file"),
        ("in.jsonl out.jsonl --method traceguard --json in.jsonl --force", "is an input file"),
        ("in.jsonl out.jsonl --method traceguard --json out.jsonl", "named twice"),
        ("in.jsonl out.jsonl --method traceguard --ledger l --json l", "named twice"),
        ("in.jsonl out.jsonl --method traceguard --json out.jsonl.key --force", "is an input file"),
        ("in.jsonl out.jsonl --method traceguard --ledger in.jsonl --force", "is an input file"),
        ("in.jsonl out.jsonl --method traceguard --json no/s.json", "folder of no/s.json does not exist"),
        ("in.jsonl out.parquet --method traceguard", "keeps the kind of file"),
        ("nowhere.jsonl out.jsonl --method traceguard", "nowhere.jsonl does not exist"),
        ("in.txt out.jsonl --method traceguard", "in.txt does not exist"),
        ("in.jsonl out.jsonl", "--method"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_writes_nothing(source, capfd, arguments, message):
    assert run(["guard", *arguments.split()]) == 2
    error = capfd.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert names() == ["in.jsonl"]


def test_a_short_key_is_refused(source, capfd):
    Path("short").write_bytes(b"x" * 15)
    assert run("guard in.jsonl out.jsonl --method traceguard --key-file short".split()) == 2
    assert "holds 15 bytes" in capfd.readouterr().err


def test_an_output_that_exists_is_kept_unless_forced(source, capfd):
    Path("out.jsonl").write_text("mine")
    assert run("guard in.jsonl out.jsonl --method traceguard".split()) == 2
    assert "pass --force" in capfd.readouterr().err
    assert Path("out.jsonl").read_text() == "mine"
    assert run("guard in.jsonl out.jsonl --method traceguard --force".split()) == 0


def test_a_full_disk_is_one_sentence(source, capfd):
    command = "ulimit -f 2; exec antidistill guard in.jsonl out.jsonl --method traceguard"
    process = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=environment())
    assert process.returncode == 2
    assert "out.jsonl cannot be written" in process.stderr
    assert "--resume" in process.stderr
    assert run("guard in.jsonl out.jsonl --method traceguard --resume".split()) == 0


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root may write everywhere")
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    (tmp_path / "in.jsonl").write_bytes(lines([trace(1)]))
    command = ["antidistill", "guard", str(tmp_path / "in.jsonl"), str(folder / "out.jsonl"), "--method", "traceguard"]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    process = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert process.returncode == 2
    assert "cannot be written" in process.stderr
    assert process.stderr.count("\n") == 1


def names():
    return sorted(path.name for path in Path().iterdir())


def environment():
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("setting", "value"),
    [("k=20", 20), ("share=0.15", 0.15), ("markers=words.txt", "words.txt"), ('match={"method": "branches"}', {"method": "branches"}),
     ("flag=true", True), ("text=a=b", "a=b"), ("empty=", ""),
     ("share=.1", 0.1), ("k=+5", 5), ("x=3.", 3.0), ("x=1.2.3", "1.2.3"), ("x=-", "-"), ("x=.", ".")],
)  # fmt: skip
def test_values_are_json_or_text(setting, value):
    assert parse_settings([setting]) == {setting.partition("=")[0]: value}


def test_a_setting_without_a_name_is_refused():
    with pytest.raises(UsageError):
        parse_settings(["=3"])
