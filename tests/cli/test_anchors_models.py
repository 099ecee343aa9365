"""`antidistill anchors --model` on what models and endpoints do wrong: real tiny models, a real server, and no row is lost."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.anchors.tiny import tiny

from antidistill.cli.main import run

pytestmark = pytest.mark.models
pytest.importorskip("torch", reason="needs torch and transformers (make models)")
pytest.importorskip("transformers", reason="needs torch and transformers (make models)")

LONG = "".join(f"Step {number} is {number} and more. " for number in range(20))
ROWS = [
    {"id": "good", "prompt": "p", "reasoning": LONG, "answer": "x"},
    {"id": "none", "prompt": "q", "reasoning": "", "answer": "x"},
    {"id": "one", "prompt": "r", "reasoning": "One sentence.", "answer": "x"},
    {"id": "few", "prompt": "s", "reasoning": "One. Two is here. Three is there.", "answer": "x"},
    {"id": "long", "prompt": "t", "reasoning": LONG * 20, "answer": "x"},
    *({"id": f"good {number}", "prompt": f"u{number}", "reasoning": LONG, "answer": "x"} for number in range(3)),
]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@pytest.fixture(scope="module")
def letters():
    """A fast tokenizer: one token for each byte and for some pairs."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    found = ByteLevelBPETokenizer()
    found.train_from_iterator([LONG], vocab_size=300, min_frequency=1, special_tokens=["<pad>", "<s>", "</s>"])
    return PreTrainedTokenizerFast(
        tokenizer_object=found._tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )


def folder(path, model, tokenizer):
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


def score(source, out, *arguments):
    code = run(["anchors", str(source), str(out), "--functions", "none", *arguments])
    found = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    return code, {row["id"]: row for row in found}


def test_rows_that_do_not_fit_the_model_get_a_reason_and_the_others_scores(tmp_path, source, letters):
    model = folder(tmp_path / "model", tiny("llama", vocab_size=400), letters)
    code, rows = score(source, tmp_path / "out.jsonl", "--model", model, "--scorers", "receiver-heads")
    assert code == 1
    assert list(rows) == [row["id"] for row in ROWS]
    reasons = {name: row.get("reasons", {}) for name, row in rows.items()}
    assert reasons["good"] == reasons["good 2"] == {}
    assert "no reasoning" in reasons["none"]["receiver-heads"]
    assert "1 sentences" in reasons["one"]["receiver-heads"]
    assert "the gap is 4" in reasons["few"]["receiver-heads"]
    assert "reads 512" in reasons["long"]["receiver-heads"]
    assert isinstance(rows["good"]["sentences"][0]["scores"]["receiver-heads"], float)


def test_the_model_is_named_and_single_options_set_how_heads_are_chosen(tmp_path, source, letters):
    model = folder(tmp_path / "model", tiny("llama", vocab_size=400), letters)
    given = [f"receiver-heads.model={model}", "receiver-heads.gap=2", "receiver-heads.options.edges=1"]
    settings = [part for one in given for part in ("--set", one)]
    _, rows = score(source, tmp_path / "out.jsonl", "--scorers", "receiver-heads", *settings)
    assert rows["good"]["model"] == model
    variant = rows["good"]["variant"]["receiver-heads"]
    assert (variant["gap"], variant["edges"]) == (2, 1)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("options=3", "a mapping of gap"),
        ("chunkk=3", "did you mean 'chunk'"),
        ("gap=-1", "gap"),
        ("receivers=3", "identify()"),
    ],
)
def test_wrong_options_are_told_before_anything_is_read(tmp_path, source, capsys, given, told):
    setting = ["--set", f"receiver-heads.{given}"]
    assert score(source, tmp_path / "out.jsonl", "--scorers", "receiver-heads", *setting) == (2, {})
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("scorer", "tokens", "told"),
    [
        ("suppression", 5, "ends before the first sentence"),
        ("suppression", 40, "raise max_tokens=40"),
        ("receiver-heads", 150, "cut to max_tokens=150"),
    ],
)
def test_a_trace_that_was_cut_too_short_says_so(tmp_path, source, letters, scorer, tokens, told):
    model = folder(tmp_path / "model", tiny("llama", vocab_size=400), letters)
    settings = ["--set", f"{scorer}.max_tokens={tokens}", "--set", f"{scorer}.gap=6"]
    _, rows = score(source, tmp_path / "out.jsonl", "--model", model, "--scorers", scorer, *settings)
    assert told in rows["good"]["reasons"][scorer]


def test_a_defense_by_receiver_heads_needs_heads_before_it_starts(tmp_path, source, capsys):
    for scorer, told in (
        ('"receiver-heads"', "need heads found on others"),
        ('{"scorer": "receiver-heads", "receivers": [[1, 2]]}', "receivers"),
    ):
        arguments = [
            "guard",
            str(source),
            str(tmp_path / "g.jsonl"),
            "--method",
            "anchors",
            "--set",
            f"scorer={scorer}",
        ]
        assert run(arguments) == 2
        assert told in capsys.readouterr().err


def test_attention_that_is_no_number_is_a_reason_for_every_row(tmp_path, source, letters):
    import torch

    broken = tiny("llama", vocab_size=400)
    torch.nn.init.constant_(broken.model.layers[1].self_attn.q_proj.weight, float("nan"))
    code, rows = score(
        source,
        tmp_path / "out.jsonl",
        "--model",
        folder(tmp_path / "model", broken, letters),
        "--scorers",
        "receiver-heads,text",
    )
    assert code == 1
    assert len(rows) == len(ROWS)
    assert "layer 1" in rows["good"]["reasons"]["receiver-heads"]
    assert isinstance(rows["good"]["sentences"][0]["scores"]["text"], float)


def test_a_model_without_attention_is_named_and_nothing_is_written(tmp_path, source, letters, capsys):
    import transformers as hf

    mamba = hf.MambaForCausalLM(hf.MambaConfig(vocab_size=400, hidden_size=16, num_hidden_layers=1, state_size=4))
    model = folder(tmp_path / "model", mamba, letters)
    for scorer in ("receiver-heads", "suppression"):
        assert score(source, tmp_path / "out.jsonl", "--model", model, "--scorers", scorer) == (2, {})
        assert "MambaForCausalLM" in capsys.readouterr().err


def test_a_tokenizer_without_offsets_is_named(tmp_path, source, capsys):
    from transformers import ByT5Tokenizer

    model = folder(tmp_path / "model", tiny("llama", vocab_size=400), ByT5Tokenizer())
    assert score(source, tmp_path / "out.jsonl", "--model", model, "--scorers", "receiver-heads") == (2, {})
    assert "gives no offsets" in capsys.readouterr().err


def test_a_folder_without_a_model_is_named(tmp_path, source, capsys):
    (tmp_path / "empty").mkdir()
    assert score(source, tmp_path / "out.jsonl", "--model", str(tmp_path / "empty")) == (2, {})
    assert "cannot be loaded" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "body"), [(401, b"no"), (200, b"<html>rubbish"), (200, b'{"choices":"none"}')])
def test_an_endpoint_that_refuses_or_answers_rubbish_is_a_reason(tmp_path, source, status, body):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    options = [f"endpoint.url={url}", "endpoint.model=m", "endpoint.attempts=1"]
    settings = [part for option in options for part in ("--set", option)]
    try:
        code, rows = score(source, tmp_path / "out.jsonl", "--functions", "endpoint", *settings)
    finally:
        server.shutdown()
    assert code == 1
    assert list(rows) == [row["id"] for row in ROWS]
    assert "the tagger" in rows["good"]["reasons"]["functions"]
    assert isinstance(rows["good"]["sentences"][0]["scores"]["text"], float)
