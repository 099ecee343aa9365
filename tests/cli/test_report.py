"""`antidistill report` on files: what it writes, and how it refuses."""

import json
import re
import stat
from types import SimpleNamespace

import pytest
from tests.report.samples import detection_json, guarded_by, guarded_traces

from antidistill import read, write
from antidistill.batch.job import Job, guard_files
from antidistill.cli.main import run


@pytest.fixture
def files(tmp_path, examples):
    """The examples, guarded with a ledger, and a detection."""
    out, ledger = tmp_path / "guarded.jsonl", tmp_path / "ledger.jsonl"
    guard_files(Job(source=examples, out=out, method="branches", options={"share": 0.3}, mix=0.8, ledger=ledger))
    detection = tmp_path / "detection.json"
    detection.write_text(json.dumps(detection_json()))
    return SimpleNamespace(
        clean=examples, guarded=out, ledger=ledger, detection=detection, report=tmp_path / "report.html"
    )


def call(files, *more):
    return run(["report", str(files.clean), str(files.guarded), "-o", str(files.report), *map(str, more)])


def test_the_report_is_written_and_its_figures_are_printed(files, capsys):
    assert call(files, "--detection", files.detection, "--no-points", "--json", "-") == 0
    printed = capsys.readouterr()
    assert printed.err == f"report: {files.report}\n"
    figures = json.loads(printed.out)
    rows = len(files.clean.read_text(encoding="utf-8").splitlines())
    assert (figures["rows"], figures["answers_identical"], figures["embedded"]) == (rows, rows, rows)
    assert 0 < figures["changed"] < rows
    assert 0 < figures["removed_share"] < 0.5
    html = files.report.read_text(encoding="utf-8")
    assert "this file holds original reasoning" in html
    assert "0.910" in html


def test_the_ledger_gives_reasons_method_and_certificate(files):
    assert call(files, "--detection", files.detection, "--no-points", "--ledger", files.ledger) == 0
    html = files.report.read_text(encoding="utf-8")
    assert re.search(r"Method, from the ledger: branches \(.*share = 0\.3", html)
    assert "AUROC of 0.9." in html
    assert "The edits and their reasons come from the ledger." in html
    assert "Unchanged traces:" in html


def test_without_a_detection_the_detectors_are_run(files):
    assert call(files, "--no-models", "--max-traces", "0") == 0
    html = files.report.read_text(encoding="utf-8")
    assert "marker-gaps" in html
    assert 'class="chart scatter"' in html
    assert 'id="trace-0"' not in html


def test_points_of_other_detections_have_their_names(files):
    assert (
        call(
            files,
            "--detection",
            files.detection,
            "--no-points",
            "--also",
            files.detection,
            "--also",
            f"twenty={files.detection}",
        )
        == 0
    )
    html = files.report.read_text(encoding="utf-8")
    assert "</b> detection (other file" in html
    assert "</b> twenty (other file" in html


def test_a_report_with_originals_is_for_its_owner_only(files):
    call(files, "--detection", files.detection, "--no-points")
    assert stat.S_IMODE(files.report.stat().st_mode) == 0o600
    files.report.unlink()
    call(files, "--detection", files.detection, "--no-points", "--no-originals")
    assert stat.S_IMODE(files.report.stat().st_mode) & 0o044
    assert "Without originals." in files.report.read_text(encoding="utf-8")


def test_groups_by_a_named_column(files):
    assert call(files, "--detection", files.detection, "--no-points", "--by", "topic") == 0
    assert '<th scope="row">arithmetic</th>' in files.report.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--by", "topik"], "did you mean 'topic'"),
        (["--max-traces", "-1"], "max-traces"),
        (["--detection", "missing.json"], "missing.json is no detection"),
        (["--detection", "CLEAN"], "give a file that antidistill detect --json wrote"),
        (["--ledger", "CLEAN"], "is not a ledger"),
        (["-o", "GUARDED"], "is one of the inputs"),
        (["-o", "missing-folder/report.html"], "name a file in a folder you can write to"),
    ],
)
def test_a_wrong_call_is_refused_in_one_sentence(files, capsys, options, message):
    named = {"CLEAN": files.clean, "GUARDED": files.guarded}
    before = files.guarded.read_bytes()
    given = options if "--detection" in options else ["--detection", files.detection, *options]
    assert call(files, "--no-points", *(named.get(option, option) for option in given)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert files.guarded.read_bytes() == before
    assert not files.report.exists()


def test_the_ledger_of_another_run_is_refused_before_anything_is_measured(files, capsys, tmp_path):
    other = tmp_path / "other.jsonl"
    write(other, guarded_traces(guarded_by("traceguard", list(read(files.clean)), k=3)))
    files.guarded = other
    assert call(files, "--no-models", "--ledger", files.ledger) == 2
    assert "the ledger that was written with this file" in capsys.readouterr().err


def test_the_frontier_of_a_payoff_file_is_in_the_report(files, tmp_path, capsys):
    payoffs = tmp_path / "payoffs-own.json"
    payoffs.write_text(
        json.dumps(
            {"rows": ["none", "ads"], "columns": ["a"], "damage": [[0], [7.5]], "visibility": {"none": 0.5, "ads": 0.9}}
        )
    )
    assert call(files, "--detection", files.detection, "--no-points", "--frontier", payoffs) == 0
    html = files.report.read_text(encoding="utf-8")
    assert "own, a" in html
    assert "AUROC" not in html.split('id="frontier"')[1].split("</section>")[0]
    assert "Commit to ads" in html
    payoffs.write_text(json.dumps({"rows": ["none", "traceguard k=10"], "columns": ["a"], "damage": [[0], [2.65]]}))
    assert call(files, "--detection", files.detection, "--no-points", "--frontier", payoffs) == 0
    section = files.report.read_text(encoding="utf-8").split('id="frontier"')[1].split("</section>")[0]
    assert "+2.65" in section  # as it was given, not +2.6
    assert "MATH, Gemma-3-1B: 1.99, 3.53, 4.32" in section
    assert 'data-label="Printed">–</td>' in section
    assert call(files, "--detection", files.detection, "--frontier", files.detection) == 2
    assert "holds no damage" in capsys.readouterr().err
    assert call(files, "--frontier", files.report) == 2  # it would be replaced
