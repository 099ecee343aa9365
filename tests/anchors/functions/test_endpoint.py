"""The endpoint tagger against a real HTTP server on this machine: what it sends, and what it does with any answer."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from antidistill.anchors.functions import make
from antidistill.errors import BadOption, MissingOption, RowError

SENTENCES = ["We need a plan. ", "2 + 2 = 4. ", "Wait. "]
LABELS = ["plan_generation", "active_computation", "uncertainty_management"]


@pytest.fixture
def server():
    """Answers with what the test puts into `answers`: (status, headers, body), the last one again and again."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.path, dict(self.headers), json.loads(content)))
            status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    answers, seen = [], []
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    running.answers, running.seen = answers, seen
    running.url = f"http://127.0.0.1:{running.server_port}/v1"
    yield running
    running.shutdown()
    running.server_close()


def chat(content: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps({"choices": [{"message": {"content": content}}]}).encode()


def labels(first: int, names: list[str]) -> str:
    return json.dumps({str(number): name for number, name in enumerate(names, first)})


def test_labels_come_back_and_the_key_goes_in_a_header(server, monkeypatch):
    monkeypatch.setenv("ANTIDISTILL_TAGGER_KEY", "k-123")
    server.answers.append(chat("```json\n" + labels(0, LABELS) + "\n```"))
    tagger = make("endpoint", url=server.url, model="m")
    assert tagger.tag(SENTENCES, "What is 2 + 2?") == LABELS
    path, headers, body = server.seen[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer k-123"
    assert body["temperature"] == 0
    assert "[1] 2 + 2 = 4." in body["messages"][1]["content"]
    assert "What is 2 + 2?" in body["messages"][1]["content"]
    assert "k-123" not in repr(tagger)


def test_long_reasoning_is_asked_in_batches(server):
    server.answers += [chat(labels(0, LABELS[:2])), chat(labels(2, LABELS[2:]))]
    assert make("endpoint", url=server.url, model="m", batch=2).tag(SENTENCES) == LABELS
    assert len(server.seen) == 2


def test_a_busy_server_is_asked_again(server):
    server.answers += [(429, {"Retry-After": "0"}, b""), (503, {}, b""), chat(labels(0, LABELS))]
    assert make("endpoint", url=server.url, model="m", backoff=0.01).tag(SENTENCES) == LABELS
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {}, b"no"), "answered 401"),
        ((503, {}, b"busy"), "answered 503"),
        ((200, {}, b"<html>"), "no chat completion"),
        ((200, {}, b'{"choices": []}'), "no chat completion"),
        (chat("I cannot."), "without a JSON object"),
        (chat('["plan_generation"]'), "without a JSON object"),
        (chat(labels(0, LABELS[:2])), "sentence 2 no known function"),
        (chat(labels(0, [*LABELS[:2], "dreaming"])), "sentence 2 no known function"),
        (chat('{"0": ["a"], "1": {}, "2": null}'), "sentence 0 no known function"),
    ],
)
def test_refusals_and_rubbish_are_named(server, answer, said):
    server.answers.append(answer)
    with pytest.raises(RowError, match=said):
        make("endpoint", url=server.url, model="m", attempts=2, backoff=0.01).tag(SENTENCES)


def test_nobody_there_is_named():
    with pytest.raises(RowError, match="cannot be reached"):
        make("endpoint", url="http://127.0.0.1:9/v1", model="m", attempts=1).tag(SENTENCES)


@pytest.mark.parametrize("options", [{"url": "ftp://x"}, {"url": "x"}, {"url": "http://x", "batch": 0}])
def test_bad_options_are_named(options):
    with pytest.raises(BadOption):
        make("endpoint", model="m", **options)


def test_options_that_have_to_be_given_are_named():
    with pytest.raises(MissingOption, match="endpoint needs url and model") as error:
        make("endpoint")
    assert error.value.options == ["url", "model"]
    with pytest.raises(MissingOption, match="endpoint needs model"):
        make("endpoint", url="http://127.0.0.1:9/v1")
