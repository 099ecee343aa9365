"""`antidistill sample` on small models in a folder: every method, resumption, calibration, errors."""

import orjson
import pytest

pytest.importorskip("torch", reason="needs torch")
pytest.importorskip("transformers", reason="needs transformers")

from tests.sampling.tiny import WORDS, model, tokenizer

from antidistill.cli.main import run

pytestmark = pytest.mark.models

SHORT = ["--reasoning-tokens", "10", "--answer-tokens", "5", "--batch", "2", "--temperature", "1.0"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Teacher, proxy, a model with another tokenizer, prompts, clean traces and questions."""
    folder = tmp_path_factory.mktemp("sample")
    for name, seed, whole in (("teacher", 0, True), ("proxy", 5, True), ("stranger", 1, False)):
        model("llama", seed, tag_is_token=whole).save_pretrained(folder / name)
        core = tokenizer(tag_is_token=whole)
        core.save_pretrained(folder / name)
    vocabulary = orjson.loads((folder / "stranger" / "tokenizer.json").read_bytes())
    tokens = vocabulary["model"]["vocab"]
    names = list(tokens)
    tokens[names[10]], tokens[names[11]] = tokens[names[11]], tokens[names[10]]
    (folder / "stranger" / "tokenizer.json").write_bytes(orjson.dumps(vocabulary))
    words = WORDS.split()
    prompts = [{"id": f"q{n}", "question": " ".join(words[n : n + 3]), "gold": "5"} for n in range(4)]
    traces = [
        {"id": f"t{n}", "prompt": words[n], "reasoning": " ".join(words[n : n + 9]), "answer": "ten"} for n in range(6)
    ]
    for name, rows in (("prompts", prompts), ("holdout", traces)):
        (folder / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return folder


def sampled(place, out, method, *more):
    arguments = [
        "sample",
        str(place / "prompts.jsonl"),
        str(out),
        "--teacher",
        str(place / "teacher"),
        "--method",
        method,
    ]
    return run([*arguments, *SHORT, *map(str, more)])


def rows(out):
    return [orjson.loads(line) for line in out.read_bytes().splitlines()]


@pytest.mark.parametrize("method", ["none", "temperature", "gaussian", "ads", "ads-permuted", "poe", "doge"])
def test_every_method_writes_a_row_per_prompt(place, tmp_path, capsys, method):
    out = tmp_path / "out.jsonl"
    more = ["--proxy", place / "proxy", "--holdout", place / "holdout.jsonl", "--json", tmp_path / "s.json"]
    more += ["--fit", "learning_rate=0.01"] if method == "doge" else []
    assert sampled(place, out, method, *more) == 0
    found = rows(out)
    assert [row["id"] for row in found] == ["q0", "q1", "q2", "q3"]
    assert all(row["sampling"]["method"] == method for row in found)
    made = {path.name for path in tmp_path.iterdir()} - {"out.jsonl", "out.jsonl.key", "s.json"}
    kind = {"ads": "gradient", "ads-permuted": "gradient", "doge": "head"}.get(method)
    assert made == ({f"out.jsonl.{kind}.safetensors"} if kind else set())
    if kind:
        assert found[0]["sampling"][kind]
    summary = orjson.loads((tmp_path / "s.json").read_bytes())
    assert summary["traces"] == 4
    assert summary["reasoning_tokens"] == sum(row["sampling"]["reasoning_tokens"] for row in found)
    assert "new key" in capsys.readouterr().err


def test_a_run_goes_on_with_its_own_key_and_gradient(place, tmp_path):
    out = tmp_path / "out.jsonl"
    more = ["--proxy", place / "proxy", "--holdout", place / "holdout.jsonl"]
    assert sampled(place, out, "ads", *more) == 0
    whole = out.read_bytes()
    out.write_bytes(whole[: len(whole) * 2 // 3])
    assert sampled(place, out, "ads", "--proxy", place / "proxy") == 2
    assert sampled(place, out, "ads", "--proxy", place / "proxy", "--resume") == 0
    assert out.read_bytes() == whole


def test_lambda_is_searched_for_an_accuracy(place, tmp_path, capsys):
    """A random teacher is never right: the search goes down, reports every try, and says that it missed."""
    pytest.importorskip("math_verify", reason="needs math-verify")
    out = tmp_path / "out.jsonl"
    more = ["--proxy", place / "proxy", "--calibrate", "0.9", "--questions", place / "prompts.jsonl", "--rounds", "2"]
    assert sampled(place, out, "poe", *more, "--set", "gamma=0.8", "--json", tmp_path / "s.json") == 0
    found = orjson.loads((tmp_path / "s.json").read_bytes())["calibration"]
    assert [each["strength"] for each in found["tried"]] == [0.2, 0.8]
    assert not found["inside"]
    assert {row["sampling"]["options"]["gamma"] for row in rows(out)} == {found["strength"]}
    said = " ".join(capsys.readouterr().err.split())
    assert "gamma=0.8: teacher accuracy" in said
    assert "taken: gamma=0.2, teacher accuracy 0.000 (0.000 to " in said
    assert "warning: the target 0.9 was not reached by the 2 strengths tried" in said
    assert "even the weakest strength stays below it: see with --method none" in said


@pytest.mark.parametrize(
    ("method", "more", "said"),
    [
        ("adz", [], "did you mean 'ads'"),
        ("ads", [], "ads needs a proxy: name one with --proxy"),
        ("ads", ["--proxy", "proxy"], "ads needs clean holdout traces: give --holdout"),
        ("poe", ["--proxy", "stranger"], "has another tokenizer than the teacher"),
        ("poe", ["--set", "gama=0.5"], "did you mean 'gamma'"),
        ("none", ["--calibrate", "0.5"], "--calibrate needs --questions"),
        ("none", ["--top-p", "0"], "top_p must be in (0, 1]"),
        ("temperature", ["--calibrate", "1.5", "--questions", "prompts.jsonl"], "target must be an accuracy in (0, 1)"),
        ("none", ["--calibrate", "0.5", "--questions", "prompts.jsonl"], "none has no strength to calibrate"),
    ],
)
def test_mistakes_are_named_before_anything_is_written(place, tmp_path, capsys, method, more, said):
    more = [place / word if word in {"proxy", "stranger", "prompts.jsonl"} else word for word in more]
    assert sampled(place, tmp_path / "out.jsonl", method, *more) == 2
    assert said in capsys.readouterr().err.replace("\n", " ")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_there_stays_where_a_run_is_refused(place, tmp_path):
    assert sampled(place, tmp_path / "out.jsonl", "none") == 0
    key = (tmp_path / "out.jsonl.key").read_bytes()
    (tmp_path / "out.jsonl").unlink()
    assert sampled(place, tmp_path / "out.jsonl", "poe", "--proxy", place / "stranger") == 2
    more = ["--calibrate", "1.5", "--questions", place / "prompts.jsonl"]
    assert sampled(place, tmp_path / "out.jsonl", "temperature", *more) == 2
    assert (tmp_path / "out.jsonl.key").read_bytes() == key


def test_holdout_traces_of_the_sampled_prompts_are_refused(place, tmp_path, capsys):
    words = WORDS.split()
    held = [{"id": "h", "prompt": " ".join(words[n : n + 3]), "reasoning": "so", "answer": "ten"} for n in (0, 3, 9)]
    (tmp_path / "held.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in held))
    more = ["--proxy", place / "proxy", "--holdout", tmp_path / "held.jsonl"]
    assert sampled(place, tmp_path / "out.jsonl", "ads", *more) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "held.jsonl holds 2 of the 4 prompts that are sampled (q0, q3): give --holdout clean traces of other" in said
    assert [path.name for path in tmp_path.iterdir()] == ["held.jsonl"]
    assert sampled(place, tmp_path / "out.jsonl", "poe", *more) == 0  # poe uses no holdout


def test_prompts_without_a_column_are_named(place, tmp_path, capsys):
    (tmp_path / "odd.jsonl").write_text('{"a": 1}\n')
    code = run(
        [
            "sample",
            str(tmp_path / "odd.jsonl"),
            str(tmp_path / "o.jsonl"),
            "--teacher",
            str(place / "teacher"),
            "--method",
            "none",
        ]
    )
    assert code == 2
    assert "line 1 holds no prompt" in capsys.readouterr().err


def test_prompts_and_questions_beyond_the_context_are_named(place, tmp_path, capsys):
    assert sampled(place, tmp_path / "o.jsonl", "none", "--reasoning-tokens", "600") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "4 of 4 prompts are too long" in said
    assert "the teacher reads 512; write fewer" in said
    long = {"id": "far", "question": WORDS * 40, "gold": "5"}
    (tmp_path / "long.jsonl").write_bytes(orjson.dumps(long) + b"\n")
    more = ["--calibrate", "0.5", "--questions", tmp_path / "long.jsonl"]
    assert sampled(place, tmp_path / "o.jsonl", "temperature", *more) == 2
    assert "1 of 5 prompts are too long: far has" in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["long.jsonl"]
