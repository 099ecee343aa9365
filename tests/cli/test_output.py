"""Results never replace what they are made from."""

import pytest

from antidistill.cli.main import run
from antidistill.cli.output import json_file, keep_apart
from antidistill.errors import OutputError, UsageError

TRACE = b'{"id": "1", "prompt": "p", "reasoning": "So. Wait, no.", "answer": "a"}\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shards").mkdir()
    for name in ("clean.jsonl", "guarded.jsonl", "shards/a.jsonl"):
        (tmp_path / name).write_bytes(TRACE)
    return tmp_path


def test_stdout_is_no_file():
    assert json_file("-") is None
    assert json_file(None) is None


@pytest.mark.parametrize("given", ["clean.jsonl", "shards", "shards/*.jsonl"])
def test_an_input_or_a_shard_of_one_is_refused(folder, given):
    target = folder / ("clean.jsonl" if given == "clean.jsonl" else "shards/a.jsonl")
    with pytest.raises(UsageError, match="one of the inputs"):
        keep_apart(target, folder / given)
    keep_apart(folder / "new.json", folder / given, None)


def test_a_missing_folder_is_told_before_the_work(folder):
    with pytest.raises(OutputError, match="does not exist"):
        keep_apart(folder / "no" / "result.json")


@pytest.mark.parametrize(
    "command",
    [
        "detect clean.jsonl guarded.jsonl --no-models --json clean.jsonl",
        "detect clean.jsonl guarded.jsonl --no-models --json ./guarded.jsonl",
        "report clean.jsonl guarded.jsonl --json guarded.jsonl -o r.html",
        "report clean.jsonl guarded.jsonl --json r.html -o r.html",
        "game clean.jsonl --json clean.jsonl",
        "bounds ledger clean.jsonl --json clean.jsonl",
        "bounds gaussian --sigma 1 --tokens 3 --probabilities clean.jsonl --json clean.jsonl",
    ],
)
def test_no_command_replaces_its_inputs(folder, capsys, command):
    assert run(command.split()) == 2
    assert "is one of the inputs" in capsys.readouterr().err
    assert (folder / "clean.jsonl").read_bytes() == (folder / "guarded.jsonl").read_bytes() == TRACE
    assert not (folder / "r.html").exists()
