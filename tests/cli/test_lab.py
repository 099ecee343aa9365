"""`antidistill lab --quick`: the whole table from one command, resumed, read by the game; and bad input."""

import json
import time

import pytest

from antidistill.cli.main import run
from antidistill.defenses import make
from antidistill.defenses.matching import guarded, removed_share
from antidistill.formats import read

pytest.importorskip("torch", reason="needs torch (make models)")
pytest.importorskip("transformers", reason="needs transformers (make models)")
pytestmark = pytest.mark.models

METHODS = ["none", "traceguard", "ads"]
CONTROLS = ["no-reflection", "answer-only"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("lab") / "run"
    assert run(["lab", "--quick", "--jobs", "1", "-o", str(target)]) == 0
    return target


@pytest.fixture(scope="module")
def results(folder):
    return json.loads((folder / "results.json").read_text())


def test_every_method_has_every_number_with_its_interval(results):
    rows = results["worlds"]["plan"]["rows"]
    assert list(rows) == [*METHODS, *CONTROLS]
    for method, row in rows.items():
        learnt = dict(row["students"]["llama"])
        assert learnt.pop("accuracy_by_seed") == [pytest.approx(learnt["accuracy"]["value"])]
        numbers = [row["teacher"], *learnt.values()]
        assert all(set(number) == {"value", "low", "high", "n"} for number in numbers)
        assert (method in CONTROLS) == ("visibility" not in row)
        one = row["students"]["llama"]
        if one["accuracy_of_finished"]["value"] is not None:
            product = one["finished"]["value"] * one["accuracy_of_finished"]["value"]
            assert product == pytest.approx(one["accuracy"]["value"])
    assert rows["ads"]["strength"]["option"] == "lam"
    assert len(rows["ads"]["strength"]["tried"]) > 1
    assert rows["no-reflection"]["teacher"]["value"] == rows["answer-only"]["teacher"]["value"] == 1


def test_traceguard_removes_its_share_or_every_marker_sentence_where_these_are_fewer(folder, results):
    (clean,) = [
        list(read(spec.parent / "traces.jsonl"))
        for spec in (folder / "traces").glob("*/spec.json")
        if json.loads(spec.read_text())["about"] == "plan, none"
    ]
    most = removed_share(clean, guarded(clean, make("traceguard", share=1.0)))
    removed = results["worlds"]["plan"]["rows"]["traceguard"]["removed_share"]
    assert most > 0
    assert removed == pytest.approx(min(0.2, most), abs=0.001 if most < 0.2 else 0.05)


def test_the_page_says_what_is_not_fit(folder, results):
    page = (folder / "results.md").read_text()
    assert "the teacher reaches" in page
    assert results["calibration"]["worlds"]["plan"]["llama"]["faults"]
    for method in METHODS:
        assert f"| {method} |" in page


def test_the_game_reads_the_payoffs(folder, tmp_path):
    answer = tmp_path / "answer.json"
    assert run(["game", str(folder / "payoffs-plan.json"), "--json", str(answer)]) == 0
    assert sum(json.loads(answer.read_text())["commitment"].values()) == pytest.approx(1)


def test_a_second_run_makes_nothing_anew_and_says_the_same(folder, results, capsys):
    before = {path: path.stat().st_mtime_ns for kind in folder.iterdir() if kind.is_dir() for path in kind.iterdir()}
    time.sleep(0.01)
    assert run(["lab", "--quick", "--jobs", "1", "-o", str(folder)]) == 0
    after = {path: path.stat().st_mtime_ns for kind in folder.iterdir() if kind.is_dir() for path in kind.iterdir()}
    assert before == after
    assert json.loads((folder / "results.json").read_text()) == results
    assert "students:" not in capsys.readouterr().err


def test_a_world_that_is_not_fit_stops_the_comparison(folder):
    from antidistill.errors import UsageError
    from antidistill.lab.experiment import QUICK_RUN
    from antidistill.lab.run import run as lab

    with pytest.raises(UsageError, match="not fit to compare methods in: plan"):
        lab(QUICK_RUN, folder, jobs=1, say=lambda line: None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--worlds", "plann"], "did you mean 'plan'"),
        (["--methods", "traceguards"], "did you mean 'traceguard'"),
        (["--methods", "none,traceguard:k=20"], "a name, or NAME@P"),
        (["--methods", "none,ads@0.5"], "samplers cannot be mixed in"),
        (["--students", "lama"], "did you mean 'llama'"),
        (["--worlds", "plan,plan"], "none of them twice"),
        (["--share", "1.5"], "share"),
    ],
)
def test_bad_input_is_named_before_anything_is_made(arguments, said, tmp_path, capsys):
    assert run(["lab", "--quick", "-o", str(tmp_path / "run"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("given", ["corrections,plan", "corrections; plan", "corrections;plan:groups=4"])
def test_worlds_are_separated_by_commas_or_where_there_are_knobs_by_semicolons(given):
    from antidistill.cli.lab import _experiment

    names = [world.partition(":")[0] for world in _experiment(given, None, None, None, quick=True).worlds]
    assert names == ["corrections", "plan"]
