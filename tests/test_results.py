"""docs/results.md is what its script writes of the stored results, and the script copes with results that are not there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report.samples import lab_results

ROOT = Path(__file__).resolve().parents[1]
STORED = ROOT / "benchmarks"
SCRIPT = STORED / "results.py"


def printed(folder):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), "--stdout"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1500:]
    return done.stdout


@pytest.fixture(scope="module")
def ours():
    return printed(STORED)


def test_the_page_is_what_the_script_writes(ours):
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert page == ours, "docs/results.md is not that of the stored results: run python benchmarks/results.py"


def test_every_method_says_what_it_costs_does_and_how_sure_that_is(ours):
    methods = {cell["method"] for cell in json.loads((STORED / "visibility.json").read_text())["cells"].values()}
    for name in methods - {"none"}:
        (block,) = [part for part in ours.split("### ") if part.startswith(f"{name}\n")]
        for word in ("Costs", "Does", "Is seen", "How sure", "Printed elsewhere"):
            assert f"- **{word}" in block


def test_numbers_of_the_page_are_those_of_the_files(ours):
    cell = json.loads((STORED / "visibility.json").read_text())["cells"]["QwQ-32B | branches | 10% removed"]
    seen = cell["chosen_in_training"]
    assert f"QwQ-32B: {seen['value']:.2f} [{seen['low']:.2f}, {seen['high']:.2f}]" in ours
    real = json.loads((STORED / "real_text.json").read_text())
    for parts in real["damage"].values():
        for part in ("marker", "after_marker", "other", "answer"):
            assert f"{parts[part]['value']:+.4f} [{parts[part]['low']:+.4f}, {parts[part]['high']:+.4f}]" in ours


def test_damage_of_a_mixed_defense_stands_beside_its_certificate(ours):
    rows = json.loads((STORED / "lab" / "mixing" / "results.json").read_text())["worlds"]["corrections"]["rows"]
    (table,) = [part for part in ours.split("### ") if part.startswith("corrections, mixed\n")]
    shown = {line.split(" | ")[1]: line for line in table.splitlines() if line.startswith("| `traceguard`")}
    assert list(shown) == ["0.25", "0.5", "0.75", "1"]
    for probability, line in shown.items():
        row = rows["traceguard" if probability == "1" else f"traceguard@{probability}"]
        damage = row["students"]["llama"]["damage"]
        assert f"{100 * damage['value']:+.1f} [{100 * damage['low']:+.1f}, {100 * damage['high']:+.1f}]" in line
        assert line.endswith(f"| {0.5 + float(probability) / 2:g} |")
        assert row["visibility"]["chosen_in_training"]["low"] <= 0.5 + float(probability) / 2


def test_parts_that_are_not_there_are_named(tmp_path):
    nothing = printed(tmp_path)
    for name in ("visibility", "real text", "lab", "sampling", "guard"):
        assert name in nothing.split("**Not measured yet:**")[1].split("\n")[0]
    (tmp_path / "visibility.json").symlink_to(STORED / "visibility.json")
    some = printed(tmp_path)
    assert "visibility" not in some.split("**Not measured yet:**")[1].split("\n")[0]
    assert "Damage was not measured." in some


def test_the_lab_is_read_when_it_is_there(tmp_path):
    results = lab_results()
    rows = results["worlds"]["plan"]["rows"]
    rows["steps"]["students"]["llama"]["damage"] = {"value": -0.2, "low": -0.25, "high": -0.15, "n": 40}
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "results.json").write_text(json.dumps(results))
    text = printed(tmp_path)
    assert "- plan with llama is fit." in text
    assert "### no-reflection" not in text
    assert "| no-reflection |" in text  # a control is in the table, it is no method
    assert "`steps` **helped** the student: -20.0 [-25.0, -15.0] points of accuracy in plan, llama." in text
    assert "It hurt some and helped others" in text
    assert "It hurt students wherever it was tried. (3 seeds per student in the lab.)" in text
    assert "plan, without a limit: Commit to traceguard." in text
