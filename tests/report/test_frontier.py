"""Damage and visibility out of the files that hold them; what stands beside them from papers."""

import json

import pytest
from tests.report.samples import detection_json, estimate, lab_results

from antidistill.distill import Evaluation, Outcome
from antidistill.distill.experiment import comparisons
from antidistill.errors import InputError
from antidistill.report import payoffs_of, read_frontier
from antidistill.report.published import damages, published


@pytest.fixture
def lab(tmp_path):
    """results.json and payoffs-plan.json of the lab."""
    results = lab_results()
    (tmp_path / "results.json").write_text(json.dumps(results))
    (tmp_path / "payoffs-plan.json").write_text(json.dumps(results["worlds"]["plan"]["payoffs"]))
    return tmp_path


@pytest.fixture
def real_text(tmp_path):
    """real_text.json and visibility.json in their shape."""
    parts = {"reasoning_outside_markers": {**estimate(0.01, 0.002), "unit": "nats per token"}, "removed_share": 0.1}
    conditions = dict.fromkeys(("traceguard", "exchange", "answer-only"), parts)
    content = {
        "plan": {"student": "smollm2-135m"},
        "cells_done": 9,
        "cells_planned": 24,
        "by_teacher": {"DeepSeek-R1": conditions, "QwQ-32B": {}},
    }
    cells = {
        "DeepSeek-R1 | traceguard | 5% removed": {**detection_json(), "chosen_in_training": estimate(0.6)},
        "DeepSeek-R1 | traceguard | 10% removed": {**detection_json(), "chosen_in_training": estimate(0.9)},
        "DeepSeek-R1 | exchange | share=1.0": {**detection_json(), "chosen_in_training": estimate(0.8)},
    }
    (tmp_path / "real_text.json").write_text(json.dumps(content))
    (tmp_path / "visibility.json").write_text(json.dumps({"machine": {}, "cells": cells}))
    return tmp_path


def test_the_lab_gives_a_set_up_per_world_and_student(lab):
    found = read_frontier([lab / "results.json"])
    assert [setup.title for setup in found.setups] == ["plan, llama", "plan, gpt2"]
    none, traceguard, steps, *controls = found.setups[0].standings
    assert [one.visibility for one in controls] == [None, None]
    assert (none.damage.value, none.visibility.value) == (0, 0.5)
    assert traceguard.damage.value == pytest.approx(40)
    assert traceguard.damage.low < 40 < traceguard.damage.high
    assert (steps.visibility.value, steps.student.value) == (0.7, pytest.approx(0.7))
    assert steps.paired["tfidf"].value == 0.08
    assert found.answers["plan"][0].startswith("without a limit: Commit to traceguard. Guaranteed damage")
    assert found.answers["plan"][2].startswith("with an AUROC of at most 0.75: Commit to ")


def test_the_payoffs_say_the_same_as_the_results(lab):
    results, alone = read_frontier([lab / "results.json"]), read_frontier([lab / "payoffs-plan.json"])
    assert {setup.seen for setup in (*results.setups, *alone.setups)} == {"AUROC"}
    assert alone.answers == results.answers
    for ours, theirs in zip(results.setups, alone.setups, strict=True):
        assert ours.title == theirs.title
        for one, other in zip(ours.standings[:3], theirs.standings, strict=True):
            assert (one.method, one.damage.value) == (other.method, pytest.approx(other.damage.value))
            assert one.visibility.value == other.visibility.value


def test_only_what_is_an_auroc_is_called_so_and_limited_as_one(tmp_path):
    path = tmp_path / "payoffs-own.json"
    payoffs = {"rows": ["none", "ads"], "columns": ["a"], "damage": [[0], [7]], "visibility": {"none": 0, "ads": 0.146}}
    path.write_text(json.dumps(payoffs))
    plain = read_frontier([path])
    assert plain.setups[0].seen == "visibility"
    assert [answer.split(":")[0] for answer in plain.answers["own"]] == ["without a limit"]
    path.write_text(json.dumps(payoffs | {"visibility_name": "paired TF-IDF distance"}))
    assert read_frontier([path]).setups[0].seen == "paired TF-IDF distance"
    path.write_text(json.dumps(payoffs | {"visibility_name": "AUROC"}))
    named = read_frontier([path])
    assert named.setups[0].seen == "AUROC"
    assert named.answers["own"][1].startswith("with an AUROC of at most 0.6: ")


def test_real_text_takes_the_visibility_of_the_same_budget(real_text):
    (setup,) = read_frontier([real_text / "real_text.json", real_text / "visibility.json"]).setups
    assert setup.unit == "nats per token"
    assert "9 of 24 students" in setup.remark
    seen = {standing.method: standing.visibility and standing.visibility.value for standing in setup.standings}
    assert seen == {"traceguard": 0.9, "exchange": 0.8, "answer-only": None}
    (alone,) = read_frontier([real_text / "real_text.json"]).setups
    assert all(standing.visibility is None for standing in alone.standings)


@pytest.fixture
def taught(tmp_path):
    """Results of distill of two students, made by its own functions out of invented answers to 40 questions."""
    for student, right in (("llama", 16), ("gemma", 12)):
        entries = {}
        for method, share in (("none", 30), ("traceguard:k=20", right)):
            outcomes = [Outcome(str(n), 0, n < share, True, True, 9, 0, 1.0, 1, 4) for n in range(40)]
            entries[method] = {"removed_share": 0.1, "evaluation": Evaluation(outcomes).to_json()}
        result = {"student": student, "questions": 40, "conditions": entries, "comparisons": comparisons(entries)}
        (tmp_path / f"{student}.json").write_text(json.dumps(result))
    return tmp_path


def test_a_result_of_distill_is_a_set_up_with_its_own_interval(taught):
    (setup,) = read_frontier([taught / "llama.json"]).setups
    assert (setup.title, setup.unit) == ("llama, llama", "points of accuracy")
    assert "against none, on 40 questions" in setup.remark
    clean, guarded = setup.standings
    written = json.loads((taught / "llama.json").read_text())["comparisons"]["traceguard:k=20"]["accuracy"]
    assert clean.damage.value == 0
    assert guarded.damage.value == pytest.approx(35)
    assert (guarded.damage.low, guarded.damage.high) == pytest.approx((100 * written["low"], 100 * written["high"]))
    assert (guarded.student.value, guarded.removed_share, guarded.visibility) == (pytest.approx(0.4), 0.1, None)
    cells = {"traceguard:k=20": {**detection_json(), "chosen_in_training": estimate(0.9)}}
    (taught / "seen.json").write_text(json.dumps({"cells": cells}))
    (setup,) = read_frontier([taught / "llama.json", taught / "seen.json"]).setups
    assert [one.visibility and one.visibility.value for one in setup.standings] == [None, 0.9]


def test_results_of_distill_become_payoffs_of_the_game(taught):
    from antidistill.theory.game import parse, solve

    table = payoffs_of(read_frontier([taught / "llama.json", taught / "gemma.json"]).setups)
    assert table["columns"] == ["llama, llama", "gemma, gemma"]
    assert "visibility" not in table
    solution = solve(parse(table), samples=100)
    assert solution.commitment == {"traceguard:k=20": 1}
    assert solution.value == pytest.approx(35)
    assert solution.low < 35 < solution.high


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        "{}",
        '{"worlds": {"a": {}}}',
        '{"columns": ["a"], "rows": ["b"], "damage": [[null]]}',
        '{"by_teacher": 1}',
    ],
)
def test_other_files_are_named(tmp_path, content):
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(InputError, match="other.json holds no damage .*results.json or payoffs"):
        read_frontier([tmp_path / "other.json"])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="nothing.json cannot be read .No such file or directory.; give a file"):
        read_frontier([tmp_path / "nothing.json"])


def test_published_numbers_agree_with_themselves_and_with_the_recipes():
    from antidistill.distill.recipes import read_recipe

    for row in published():
        assert "arXiv" in row.source or "independent run" in row.source
        if row.clean is None or row.damage is None:
            assert row.damage is not None or row.clean is not None
        else:
            assert row.damage == pytest.approx(row.clean - row.student, abs=0.0101)  # as printed, from unrounded ones
    recipe = read_recipe("traceguard-math-llama-3b")
    printed = [row for row in published() if row.setup == "MATH, Llama-3.2-3B" and row.method == "traceguard"]
    assert {row.clean for row in printed} == {recipe.conditions[0].expected["accuracy"]}
    assert [row.student for row in printed] == [one.expected["accuracy"] for one in recipe.conditions[1:4]]


def test_damages_are_by_set_up():
    assert damages("poe") == (
        "GSM8K, Llama-3.2-3B: 57.24 to 39.26 %; MATH, Llama-3.2-3B: 15.17 to 9 %; "
        "GSM8K, Llama-3.2-3B, adaptive: 56.74 to 49.46 %; MATH, Llama-3.2-3B, adaptive: 15.29 to 12.92 %"
    )
    assert damages("branches") == ""


def test_what_was_printed_is_found_by_the_method_of_a_name_and_told_as_printed():
    assert "MATH, Gemma-3-1B: 1.99, 3.53, 4.32" in damages("traceguard")
    assert damages("traceguard k=10") == damages("traceguard:k=10") == damages("traceguard")
    assert damages("trace") == damages("traceguarded") == ""
