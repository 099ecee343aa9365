"""The benchmarks on labelled traces take files of other people: other models and problems, gaps, further columns."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
SENTENCES = (
    ("I need to find the sum. ", "problem_setup"),
    ("Let me try another way first. ", "plan_generation"),
    ("The formula says n(n+1)/2. ", "fact_retrieval"),
    ("So 4 * 5 / 2 = 10. ", "active_computation"),
    ("Wait, I am not sure. ", "uncertainty_management"),
    ("So all in all it is 10. ", "result_consolidation"),
    ("Let me check: 1+2+3+4 = 10. ", "self_checking"),
    ("The answer is \\boxed{10}.", "final_answer_emission"),
)


@pytest.fixture
def files(tmp_path):
    """Labels and traces of two other models on three other problems; one sentence without importance, one with a tag of its own."""
    labels, traces = [], []
    for number in range(6):
        name = f"model-{number % 2}/problem-{number // 2}"
        traces.append(
            {"id": name, "question": "What is 1+2+3+4?", "reasoning": "".join(text for text, _ in SENTENCES), "mine": 1}
        )
        for place, (text, tag) in enumerate(SENTENCES):
            value = None if place == 3 else (place * 5 + number) % 7 / 7
            tags = json.dumps(["musing"] if place == 5 else [tag])
            labels.append(
                {"trace_id": name, "idx": place, "text": text, "tags": tags, "counterfactual_importance_kl": value}
            )
    paths = tmp_path / "labels.parquet", tmp_path / "traces.parquet"
    for path, rows in zip(paths, (labels[::-1], traces), strict=True):
        pq.write_table(pa.Table.from_pylist(rows), path)
    return paths


def printed(script, files, *arguments):
    labels, traces = files
    command = [sys.executable, str(BENCHMARKS / script), "--labels", str(labels), "--traces", str(traces), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_importance_that_is_missing_is_left_out(files):
    code, out, err = printed("text_score.py", files, "--no-speed")
    assert code == 0, err
    report = json.loads(out)
    assert (report["traces"], report["problems"], report["without_importance"]) == (6, 3, 6)
    assert report["scorers"]["position"]["spearman"]["n"] == 6
    assert report["shipped"] is not None


def test_a_function_that_nobody_knows_is_not_counted(files):
    code, out, err = printed("functions.py", files, "--resamples", "20")
    assert code == 0, err
    report = json.loads(out)
    assert sum(map(sum, report["regex"]["confusion"]["counts"])) == 6 * 7
    assert report["shipped"]["accuracy"]["n"] == 6


def test_sentences_that_do_not_fit_the_reasoning_are_named(files):
    traces = files[1]
    rows = pq.read_table(traces).to_pylist()
    pq.write_table(pa.Table.from_pylist([row | {"reasoning": "Something else."} for row in rows]), traces)
    code, _, err = printed("functions.py", files)
    assert code == 1
    assert "do not fit its reasoning" in err


def test_traces_that_are_not_there_are_named(files):
    traces = files[1]
    pq.write_table(pq.read_table(traces).slice(1), traces)
    code, _, err = printed("text_score.py", files)
    assert code == 1
    assert "lacks 1 labelled traces" in err


def test_json_lines_of_one_problem_are_measured_without_training(files, tmp_path):
    tables = [pq.read_table(path).to_pylist() for path in files]
    kept = [[row for row in rows if row.get("trace_id", row.get("id")).endswith("problem-1")] for rows in tables]
    paths = tmp_path / "labels.jsonl", tmp_path / "traces.jsonl"
    for path, rows in zip(paths, kept, strict=True):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, err = printed("functions.py", paths, "--resamples", "20")
    assert code == 0, err
    assert "one problem" in err
    report = json.loads(out)
    assert report["problems"] == 1
    assert report["trained"] is None
    assert 0 < report["regex"]["accuracy"]["value"] < 1
    assert report["shipped"]["accuracy"]["n"] == 2
    code, out, err = printed("text_score.py", paths, "--no-speed")
    assert code == 0, err
    report = json.loads(out)
    assert "text" not in report["scorers"]
    assert report["scorers"]["position"]["spearman"]["n"] == 2
    assert report["shipped"] is not None


def test_files_that_cannot_be_read_are_named(files, tmp_path):
    torn = tmp_path / "torn.jsonl"
    torn.write_text('{"trace_id": ')
    code, _, err = printed("functions.py", (torn, files[1]))
    assert code == 1
    assert "torn.jsonl cannot be read" in err
    torn.write_text('{"trace_id": "a/b"}\n')
    code, _, err = printed("functions.py", (torn, files[1]))
    assert code == 1
    assert "lacks idx, text, tags" in err


def test_means_by_function_of_models_that_nothing_was_published_about(files):
    labels = pq.read_table(files[0]).to_pylist()
    tables = [row | {"model": row["trace_id"].partition("/")[0]} for row in labels]
    pq.write_table(pa.Table.from_pylist(tables), files[0])
    command = [sys.executable, str(BENCHMARKS / "labelled.py"), "--labels", str(files[0])]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert set(report["models"]) == {"model-0", "model-1"}
    assert report["values"] == 0
    means = report["models"]["model-1"]["columns"]["counterfactual_importance_kl mean"]
    assert means["problem_setup"]["value"] == round((1 + 3 + 5) / 7 / 3, 4)
    assert "active_computation" not in means, "none of its sentences has an importance"
    assert "published" not in means["problem_setup"]
