"""`antidistill detect` on files: what it prints, what it writes, and how it refuses."""

import json
from dataclasses import replace

import pytest

from antidistill import read, write
from antidistill.cli.main import run
from antidistill.trace import Trace

FAST = ["--no-models", "--detector", "length", "--detector", "marker-rate", "--repeats", "1"]


@pytest.fixture
def files(tmp_path, examples):
    """The examples, and the same with their first 100 characters gone."""
    traces = list(read(examples))
    write(tmp_path / "clean.jsonl", traces)
    write(tmp_path / "guarded.jsonl", [replace(trace, reasoning=trace.reasoning[100:]) for trace in traces])
    return [str(tmp_path / "clean.jsonl"), str(tmp_path / "guarded.jsonl")]


def test_json_goes_to_the_named_file_and_the_tables_to_stdout(files, tmp_path, capsys):
    assert run(["detect", *files, *FAST, "--json", str(tmp_path / "d.json")]) == 0
    found = json.loads((tmp_path / "d.json").read_bytes())
    assert set(found["unpaired"]) == {"length", "marker-rate", "best"}
    assert found["paired"]["tokens"]["value"] < 0
    printed = capsys.readouterr().out
    assert f"{found['unpaired']['length']['auroc']['value']:.3f}" in printed
    assert "the models were left out" in printed
    assert f"{found['n']} pairs" in printed


def test_a_dash_prints_nothing_but_json(files, capsys):
    assert run(["detect", *files, *FAST, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] > 40


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--detector", "lenght"], "unknown detector 'lenght'"),
        (["--judge", "http://127.0.0.1:1"], "--judge was given alone"),
        (["--judge-model", "x"], "--judge-model was given alone"),
        (["--judge", "localhost", "--judge-model", "x"], "http://"),
        (["--folds", "1"], "folds"),
    ],
)
def test_bad_options_end_with_2_and_one_sentence(files, capsys, more, said):
    assert run(["detect", *files, "--no-models", *more]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_files_that_do_not_belong_together_end_with_2(files, tmp_path, capsys):
    write(tmp_path / "other.jsonl", [Trace("x", "another prompt", "Wait.", "a")])
    assert run(["detect", files[0], str(tmp_path / "other.jsonl"), "--no-models"]) == 2
    assert "do not belong together" in capsys.readouterr().err


def test_few_traces_are_compared_without_detectors(files, tmp_path, capsys):
    for name in ("clean", "guarded"):
        write(tmp_path / f"few-{name}.jsonl", list(read(tmp_path / f"{name}.jsonl"))[:5])
    assert run(["detect", str(tmp_path / "few-clean.jsonl"), str(tmp_path / "few-guarded.jsonl"), "--no-models"]) == 0
    assert "needs 20 different prompts, there are 5" in capsys.readouterr().out
