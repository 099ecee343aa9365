"""`antidistill distill` on tiny students in a folder: results, resumption, comparison with an earlier one, errors."""

import json

import pytest

pytest.importorskip("trl", reason="needs pip install 'antidistill[train]'")

from tests.distill import small

from antidistill.cli.main import run

pytestmark = pytest.mark.models

FAST = ["max_length=128", "epochs=1", "batch=16", "device_batch=16", "precision=float32", "asking.max_new_tokens=6"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Student, teacher, traces and questions."""
    folder = tmp_path_factory.mktemp("distill")
    small.save(folder, traces=24, questions=6, student=small.model(), teacher=small.model(seed=5))
    return folder


def distill(place, *more, settings=FAST, questions="questions.jsonl", student="student"):
    chosen = [part for value in settings for part in ("--set", value)]
    arguments = ["distill", place / "traces.jsonl", "--student", place / student, "--questions", place / questions]
    return run([*map(str, arguments), *chosen, *map(str, more)])


@pytest.fixture(scope="module")
def first(place):
    """A result with two conditions and answers forced by both."""
    conditions = ["--condition", "none", "--condition", "traceguard:k=5"]
    more = ["--teacher", place / "teacher", "--set", "asking.force=true", "--work", place / "work"]
    assert distill(place, *conditions, *more, "--json", place / "first.json") == 0
    return json.loads((place / "first.json").read_text())


def test_a_result_says_what_was_done_and_what_came_out(first):
    assert list(first["conditions"]) == ["none", "traceguard:k=5"]
    guarded = first["conditions"]["traceguard:k=5"]
    assert guarded["removed_share"] > 0.1
    assert json.loads(guarded["spec"])["options"]["k"] == 5
    assert guarded["training"]["tokens"] < first["conditions"]["none"]["training"]["tokens"]
    assert guarded["evaluation"]["questions"] == first["questions"] == 6
    assert first["training"]["batch"] == 16
    assert first["asking"]["force"] is True


def test_forced_answers_name_who_was_forced(first):
    for entry in first["conditions"].values():
        estimates = entry["evaluation"]["estimates"]
        for name in ("student", "teacher"):
            assert estimates[f"accuracy_forced_by_{name}"]["n"] == 6
        assert set(entry["evaluation"]["outcomes"][0]["forced"]) == {"student", "teacher"}
    assert {"accuracy", "finished", "looping", "accuracy_forced_by_student", "accuracy_forced_by_teacher"} == set(
        first["comparisons"]["traceguard:k=5"]
    )


def test_an_earlier_result_is_compared_with(place, first, capsys):
    out = place / "second.json"
    more = ["--condition", "answer-only", "--against", place / "first.json", "--json", out]
    assert distill(place, *more) == 0
    found = json.loads(out.read_text())
    assert list(found["conditions"]) == list(found["comparisons"]) == ["answer-only"]
    numbers = found["comparisons"]["answer-only"]["accuracy"]
    theirs = first["conditions"]["none"]["evaluation"]["estimates"]["accuracy"]["value"]
    ours = found["conditions"]["answer-only"]["evaluation"]["estimates"]["accuracy"]["value"]
    assert numbers["value"] == pytest.approx(theirs - ours)
    assert "accuracy_forced_by_teacher" not in found["comparisons"]["answer-only"]  # nobody was forced now
    assert "answer-only" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "is no result of antidistill distill"),
        ('{"conditions": {"a": {}}}', "is no result of antidistill distill"),
        (
            '{"conditions": {"a": {"evaluation": {"outcomes": [{"question": "0+0"}]}}}}',
            "no result of antidistill distill",
        ),
        ("[", "is no result of antidistill distill"),
    ],
)
def test_what_is_no_result_is_refused_before_anything_is_trained(place, capsys, content, words):
    (place / "bad.json").write_text(content)
    assert distill(place, "--against", place / "bad.json", "--work", place / "untouched") == 2
    assert words in capsys.readouterr().err
    assert not (place / "untouched").exists()


def test_other_questions_are_refused_before_anything_is_trained(place, first, capsys):
    more = ["--number", 3, "--against", place / "first.json", "--work", place / "untouched"]
    assert distill(place, *more) == 2
    assert "asked 6 questions, this one is asked 3, 3 of them the same" in " ".join(capsys.readouterr().err.split())
    assert not (place / "untouched").exists()


def test_a_finished_condition_is_read_back(place, first):
    files = {path: path.stat().st_mtime_ns for path in (place / "work").rglob("*") if path.is_file()}
    more = ["--teacher", place / "teacher", "--set", "asking.force=true", "--work", place / "work"]
    conditions = ["--condition", "none", "--condition", "traceguard:k=5"]
    assert distill(place, *conditions, *more, "--json", place / "again.json") == 0
    assert json.loads((place / "again.json").read_text()) == first
    assert files == {path: path.stat().st_mtime_ns for path in (place / "work").rglob("*") if path.is_file()}


def test_overlap_is_refused_or_left_out(place, capsys):
    rows = [
        {"id": f"t{row}", "question": f"Sum: {trace.prompt}", "gold": trace.answer, "grader": "exact"}
        for row, trace in enumerate(small.traces(3))
    ]
    rows.append({"id": "new", "question": "What is left when all is gone?", "gold": "0", "grader": "exact"})
    (place / "leaky.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert distill(place, questions="leaky.jsonl") == 2
    assert "--drop-overlap" in capsys.readouterr().err
    more = ["--drop-overlap", "--condition", "untrained", "--json", place / "left.json"]
    assert distill(place, *more, questions="leaky.jsonl") == 0
    found = json.loads((place / "left.json").read_text())
    assert found["questions"] == 1
    assert found["conditions"]["untrained"]["training"] is None


def test_a_dry_run_trains_nothing(place, capsys):
    more = ["--dry-run", "--device", "h100", "--work", place / "dry", "--json", place / "plan.json"]
    assert distill(place, "--condition", "none", "--condition", "traceguard:k=5", *more) == 0
    plan = json.loads((place / "plan.json").read_text())
    assert [step["steps"] for step in plan["steps"]] == [2, 2]
    assert plan["parameters"] == small.model().num_parameters()
    assert "Memory per device" in capsys.readouterr().out
    assert not (place / "dry").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--set", "epoch=1"], "epochs"),
        (["--set", "asking.temprature=1"], "temperature"),
        (["--set", "learning_rate=fast"], "learning_rate"),
        (["--set", "schedule=cosin", "--dry-run"], "unknown schedule 'cosin'"),
        (["--set", "optimizer=adamw_torch_fusd", "--dry-run"], "did you mean 'adamw_torch_fused'"),
        (["--set", "optimizer=lomo"], "optimizer=lomo cannot be made here"),
        (["--condition", "tracegard"], "traceguard"),
        (["--condition", "traceguard:k"], "METHOD or METHOD:option=value"),
        (["--condition", "traceguard:q=1"], "k"),
        (["--condition", "none", "--condition", "none", "--dry-run"], "the condition none is given more than once"),
        (["--teacher", "smollm2-135m", "--dry-run"], "add --set asking.force=true, or leave the teacher out"),
        (["--device", "h1000", "--dry-run"], "h100"),
        (["--recipe", "traceguard-math-llama"], "traceguard-math-llama-3b"),
    ],
)
def test_wrong_options_are_named(place, capsys, more, words):
    assert distill(place, *more) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_models_and_files_that_are_not_there_are_named(place, capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert distill(place, student="nobody") == 2
    assert "nobody" in capsys.readouterr().err
    assert distill(place, questions="nowhere.jsonl") == 2
    assert "nowhere.jsonl" in capsys.readouterr().err
    assert run(["distill", str(place / "traces.jsonl")]) == 2
    assert "--recipe NAME, or both --student NAME and --questions SET" in capsys.readouterr().err


def test_a_recipe_takes_another_student_and_the_options(place, capsys):
    out = place / "recipe.json"
    more = ["--recipe", "traceguard-math-llama-1b", "--json", out]
    assert distill(place, *more) == 2  # there is no such recipe
    assert "did you mean" in capsys.readouterr().err
    more = ["--recipe", "traceguard-mmlu-llama-1b", "--set", "lora=false", "--json", out]
    assert distill(place, *more, "--condition", "none") == 0
    found = json.loads(out.read_text())
    assert found["recipe"] == "traceguard-mmlu-llama-1b"
    assert found["training"]["lora"] is None
    assert found["inferred"]
