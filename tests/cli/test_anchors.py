"""`antidistill anchors` on files: every row comes out, and wrong use is told before anything is written."""

import json

import pytest
from tests.anchors.resampling import test_remote

from antidistill import read
from antidistill.cli.main import run
from antidistill.measure.models import SMALL_LANGUAGE_MODEL, missing

BAD = """{"id":"a","prompt":"p","reasoning":"","answer":"x"}
not json
{"id":"b","foo":1}
{"id":"c","prompt":"p","reasoning":"One sentence.","answer":"x"}
{"id":"d","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"no thought"}]}

{"id":"e","prompt":"p","reasoning":"  \\n","answer":"x"}
[1, 2]
"""

server = test_remote.server
"""A model behind a URL."""


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.jsonl"


def rows(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_sentence_has_span_function_score_and_rank(examples, out, capsys):
    assert run(["anchors", str(examples), str(out), "--scorers", "text,position", "--json", "-"]) == 0
    summary = json.loads(capsys.readouterr().out)
    traces, found = list(read(examples)), rows(out)
    assert summary["rows"] == len(traces) == len(found)
    assert [row["id"] for row in found] == [trace.id for trace in traces]
    for trace, row in zip(traces, found, strict=True):
        pieces = [trace.reasoning[one["start"] : one["end"]] for one in row["sentences"]]
        assert "".join(pieces) == trace.reasoning
        for scorer in ("text", "position"):
            ordered = sorted(row["sentences"], key=lambda one: one["ranks"][scorer])
            assert [one["ranks"][scorer] for one in ordered] == list(range(1, len(pieces) + 1))
            scores = [one["scores"][scorer] for one in ordered]
            assert scores == sorted(scores, reverse=True)
        assert all(one["function"] for one in row["sentences"])
        assert row["variant"]["text"]["view"] == "whole"


def test_rows_that_cannot_be_scored_keep_their_place_and_get_a_reason(tmp_path, out, capsys):
    (tmp_path / "in.jsonl").write_text(BAD)
    assert run(["anchors", str(tmp_path / "in.jsonl"), str(out)]) == 1
    found = rows(out)
    assert [row["id"] for row in found] == ["a", "2", "b", "c", "d", "e", "8"]
    assert [list(row.get("reasons", {})) for row in found] == [
        ["text"],
        ["row"],
        ["row"],
        [],
        ["row"],
        ["text"],
        ["row"],
    ]
    assert len(found[3]["sentences"]) == 1
    assert "6 rows have a reason" in capsys.readouterr().err


def test_the_page_holds_the_first_traces(examples, out, tmp_path):
    page = tmp_path / "page.html"
    assert run(["anchors", str(examples), str(out), "--html", str(page), "--max-traces", "3"]) == 0
    html = page.read_text(encoding="utf-8")
    assert html.count('id="data-') == 3 + 2
    assert "3 of 69 rows" in html


def test_options_reach_their_scorer(examples, out):
    settings = ["--set", "text.view=stream", "--set", "text.position=false"]
    assert run(["anchors", str(examples), str(out), *settings, "--functions", "none"]) == 0
    assert rows(out)[0]["variant"]["text"] == {"view": "stream", "position": False, "weights": "default"}
    assert {one["function"] for one in rows(out)[0]["sentences"]} == {None}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--scorers", "texts"], "did you mean 'text'"),
        (["--scorers", ","], "names none"),
        (["--set", "view=stream"], "SCORER.NAME=VALUE"),
        (["--set", "length.view=stream"], "SCORER.NAME=VALUE"),
        (["--set", "text.view=half"], "one of whole, stream"),
        (["--set", "text.size=3"], "unknown option of text"),
        (["--functions", "trainde"], "did you mean 'trained'"),
        (["--functions", "endpoint", "--set", "endpoint.url=http://127.0.0.1:9"], "--set endpoint.model=…"),
    ],
)
def test_wrong_use_is_told_before_anything_is_written(examples, out, capsys, arguments, told):
    assert run(["anchors", str(examples), str(out), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_files_are_not_replaced_by_accident(examples, out, tmp_path, capsys):
    out.write_text("mine")
    assert run(["anchors", str(examples), str(out)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert run(["anchors", str(examples), str(examples), "--force"]) == 2
    assert run(["anchors", str(examples), str(tmp_path / "x.txt")]) == 2
    assert run(["anchors", str(examples), str(out), "--force", "--html", str(out)]) == 2
    assert run(["anchors", str(examples), str(out), "--force"]) == 0


def test_no_result_goes_into_the_input_folder(examples, tmp_path, capsys):
    (tmp_path / "in.jsonl").write_bytes(examples.read_bytes())
    assert run(["anchors", str(tmp_path), str(tmp_path / "out.jsonl")]) == 2
    assert "is in the input folder" in capsys.readouterr().err


def test_a_tagger_behind_a_url_that_is_not_there_is_a_reason(examples, out, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(examples.read_bytes().split(b"\n")[0])
    url = ["--set", "endpoint.url=http://127.0.0.1:9/v1", "--set", "endpoint.model=m", "--set", "endpoint.attempts=1"]
    assert run(["anchors", str(tmp_path / "in.jsonl"), str(out), "--functions", "endpoint", *url]) == 1
    (row,) = rows(out)
    assert "tagger at http://127.0.0.1:9/v1" in row["reasons"]["functions"]
    assert {one["function"] for one in row["sentences"]} == {None}
    assert all(one["scores"]["text"] is not None for one in row["sentences"])


def test_resampling_over_an_endpoint(server, tmp_path, out, capsys):
    good = {"id": "good", "prompt": "What is 2 + 3?", "reasoning": "I add them. 2 + 3 is 5. So it is 5.", "answer": "5"}
    (tmp_path / "in.jsonl").write_text(json.dumps(good) + "\n" + json.dumps(good | {"id": "bad", "reasoning": ""}))
    given = [f"url={server.url}", "model=m", "measure=resampling-kl", "plan.rollouts=6", "plan.seed=3"]
    settings = [part for one in given for part in ("--set", f"resampling.{one}")]
    assert run(["anchors", str(tmp_path / "in.jsonl"), str(out), "--scorers", "resampling", *settings]) == 1
    scored, empty = rows(out)
    assert [one["ranks"]["resampling"] for one in scored["sentences"]][1] == 1
    assert scored["variant"]["resampling"]["rollouts"] == 6
    assert "no reasoning" in empty["reasons"]["resampling"]
    assert f"resampling, all rows: {len(server.requests)} requests" in capsys.readouterr().err


def test_the_cost_is_told_and_a_dry_run_ends_there(server, tmp_path, out, capsys):
    row = {"id": "good", "prompt": "What is 2 + 3?", "reasoning": "I add them. 2 + 3 is 5. So it is 5.", "answer": "5"}
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for _ in range(3)))
    given = [f"url={server.url}", "model=m", "measure=resampling-kl", "plan.rollouts=6"]
    settings = [part for one in given for part in ("--set", f"resampling.{one}")]
    command = ["anchors", str(tmp_path / "in.jsonl"), str(out), "--dry-run"]
    assert run([*command, "--scorers", "resampling", *settings]) == 0
    assert "resampling, all rows: 12 requests" in capsys.readouterr().err
    assert run(command) == 0
    assert "text: each trace is read once" in capsys.readouterr().err
    assert server.requests == []
    assert not out.exists()


def test_an_endpoint_that_refuses_resampling_is_a_reason_of_every_row(server, tmp_path, out):
    row = {"id": "1", "prompt": "What is 2 + 3?", "reasoning": "I add them. 2 + 3 is 5. So it is 5.", "answer": "5"}
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row | {"id": name}) + "\n" for name in "abc"))
    server.script += [(401, b"no such key", 0)] * 1000
    given = [f"url={server.url}", "model=m", "measure=resampling-kl", "plan.rollouts=6", "workers=2"]
    settings = [part for one in given for part in ("--set", f"resampling.{one}")]
    assert run(["anchors", str(tmp_path / "in.jsonl"), str(out), "--scorers", "resampling,text", *settings]) == 1
    found = rows(out)
    assert [row["id"] for row in found] == ["a", "b", "c"]
    assert all("answered 401 Unauthorized: no such key" in row["reasons"]["resampling"] for row in found)
    assert all(isinstance(one["scores"]["text"], float) for row in found for one in row["sentences"])
    assert len(server.requests) <= 2, "the others were not asked"


def test_an_option_is_set_as_a_whole_or_by_its_entries(tmp_path, out, capsys):
    (tmp_path / "in.jsonl").write_text(BAD)
    both = ["--set", "resampling.plan=1", "--set", "resampling.plan.seed=3"]
    assert run(["anchors", str(tmp_path / "in.jsonl"), str(out), "--scorers", "resampling", *both]) == 2
    assert "has a value already" in capsys.readouterr().err


def test_missing_and_empty_files_are_named(tmp_path, out, capsys):
    assert run(["anchors", str(tmp_path / "no.jsonl"), str(out)]) == 2
    (tmp_path / "empty.jsonl").write_text("")
    assert run(["anchors", str(tmp_path / "empty.jsonl"), str(out)]) == 2
    assert "holds no row" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.models
@pytest.mark.skipif(bool(missing(SMALL_LANGUAGE_MODEL, "")), reason="needs the small models (make models)")
def test_receiver_heads_of_a_model_with_matrix_and_heads(tmp_path, out):
    text = " ".join(f"This is sentence number {number} of the trace." for number in range(20))
    traces = [{"id": str(place), "prompt": f"p{place}", "reasoning": text, "answer": "a"} for place in range(4)]
    traces.append({"id": "short", "prompt": "q", "reasoning": "One. Two.", "answer": "a"})
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(trace) + "\n" for trace in traces))
    page = tmp_path / "page.html"
    arguments = ["--model", SMALL_LANGUAGE_MODEL, "--set", 'receiver-heads.options={"heads": 3}']
    assert run(["anchors", str(tmp_path / "in.jsonl"), str(out), *arguments, "--html", str(page)]) == 1
    *found, short = rows(out)
    assert "the gap is 4" in short["reasons"]["receiver-heads"]
    assert short["sentences"][0]["scores"]["text"] is not None
    assert all(row["evidence"]["receiver-heads"]["heads"] for row in found)
    assert [one["scores"]["receiver-heads"] for one in found[0]["sentences"]][-4:] == [None] * 4
    assert '"matrix":' in page.read_text(encoding="utf-8")
