"""The judge over real HTTP, against a local server that follows a script."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from antidistill.errors import BadOption, UsageError
from antidistill.measure import Judge, detect
from antidistill.measure.judge import KEY_VARIABLE, PROMPT, Verdict, coherence, verdict
from antidistill.measure.paired import Unmeasured
from antidistill.measure.pairing import Pairs
from antidistill.trace import Trace


def completion(content, **message):
    return {"choices": [{"message": {"role": "assistant", "content": content, **message}, "finish_reason": "stop"}]}


class Scripted(ThreadingHTTPServer):
    """Answers each request with the next line of its script: a status and a body, and headers if there are any."""

    def __init__(self, script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = list(script)
        self.requests = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, self.headers.get("Authorization"), body))
        status, content, *headers = self.server.script.pop(0) if self.server.script else (200, completion("5"))
        raw = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in dict(*headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """Starts a server with a script; all of them end with the test."""
    servers = []

    def start(*script):
        servers.append(Scripted(script))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def waits():
    return []


@pytest.fixture
def judge_of(waits):
    """A judge that notes its waits instead of sleeping, one request at a time."""
    return lambda server, **options: Judge(server.url, "small", workers=1, sleep=waits.append, **options)


TRACE = Trace("1", "What is 1 + 1?", "It is 2.", "2")
OTHER = Trace("2", "What is 2 + 2?", "It is 4.", "4")


def test_a_score_is_read_and_the_request_is_well_formed(serve, judge_of, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "a-key")
    server = serve((200, completion("8")))
    assert judge_of(server).ask(TRACE) == Verdict("scored", 8)
    ((path, authorization, body),) = server.requests
    assert (path, authorization) == ("/v1/chat/completions", "Bearer a-key")
    assert (body["model"], body["temperature"]) == ("small", 0)
    (message,) = body["messages"]
    assert "What is 1 + 1?" in message["content"]
    assert "It is 2." in message["content"]


def test_without_the_variable_no_key_is_sent(serve, judge_of, monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    server = serve()
    judge_of(server).ask(TRACE)
    assert server.requests[0][1] is None


def test_busy_servers_are_asked_again_with_growing_waits(serve, judge_of, waits):
    server = serve(
        (500, "oops"), (429, "slow down", {"Retry-After": "7"}), (503, ""), (200, "no json"), (200, completion("3"))
    )
    assert judge_of(server, backoff=0.5).ask(TRACE) == Verdict("scored", 3)
    assert waits == [0.5, 7.0, 2.0, 4.0]


def test_a_server_that_never_recovers_is_a_failure(serve, judge_of, waits):
    server = serve(*[(500, "oops")] * 9)
    assert judge_of(server, attempts=3).ask(TRACE) == Verdict("failed")
    assert (len(server.requests), len(waits)) == (3, 2)


def test_nobody_listening_is_a_failure(serve, judge_of):
    server = serve()
    server.shutdown()
    server.server_close()
    assert judge_of(server, attempts=2).ask(TRACE) == Verdict("failed")


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_wrong_key_path_or_model_is_an_error_at_once(serve, judge_of, waits, status):
    server = serve((status, "who are you"))
    with pytest.raises(UsageError, match=rf"answered {status}.*who are you.*'small'.*{KEY_VARIABLE}"):
        judge_of(server).ask(TRACE)
    assert waits == []


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (completion("10"), Verdict("scored", 10)),
        (completion("Score: 7/10."), Verdict("scored", 7)),
        (completion("**4**\n"), Verdict("scored", 4)),
        (completion("I'm sorry, I can't rate this."), Verdict("refused")),
        (completion(None, refusal="No."), Verdict("refused")),
        ({"choices": [{"message": {"content": "5"}, "finish_reason": "content_filter"}]}, Verdict("refused")),
        (completion("between 6 and 8"), Verdict("unparseable")),
        (completion("7.5"), Verdict("unparseable")),
        (completion("0"), Verdict("unparseable")),
        (completion("11"), Verdict("unparseable")),
        (completion("-3"), Verdict("unparseable")),
        (completion(""), Verdict("unparseable")),
        (completion(["5"]), Verdict("unparseable")),
        ({"error": "busy"}, Verdict("unparseable")),
        ({"choices": []}, Verdict("unparseable")),
        ("text", Verdict("unparseable")),
        (None, Verdict("unparseable")),
    ],
)
def test_replies_are_scores_refusals_or_neither(reply, expected):
    assert verdict(reply) == expected


def test_the_metric_compares_pairs_with_two_scores_and_counts_the_rest(serve, judge_of):
    server = serve(
        (200, completion("9")), (200, completion("8")), (200, completion("6")), (200, completion("I cannot do that."))
    )
    guarded = (Trace("1", "What is 1 + 1?", "2.", "2"), Trace("2", "What is 2 + 2?", "4.", "4"))
    metric = coherence(Pairs((TRACE, OTHER), guarded), judge_of(server))
    assert (metric.estimate.value, metric.estimate.n) == (-3, 1)
    shown = metric.to_json()
    assert (shown["clean"]["value"], shown["guarded"]["value"]) == (9, 6)
    assert [shown[name] for name in ("scored", "refused", "unparseable", "failed")] == [3, 1, 0, 0]


def test_no_scores_is_a_reason_and_no_number(serve, judge_of):
    server = serve((200, completion("nice")), (200, completion("I cannot.")))
    with pytest.raises(Unmeasured, match="0 scored, 1 refused, 1 unparseable, 0 failed"):
        coherence(Pairs((TRACE,), (TRACE,)), judge_of(server))


def test_an_address_without_a_scheme_is_refused():
    with pytest.raises(BadOption, match="http://"):
        Judge("localhost:8000", "small")


def test_detect_reports_the_judge_beside_the_other_metrics(serve, judge_of):
    server = serve(*[(200, completion(str(score))) for score in (9, 8, 7, 4)])
    found = detect([TRACE, OTHER], [TRACE, OTHER], models=False, judge=judge_of(server)).to_json()
    assert (found["paired"]["judge"]["value"], found["paired"]["judge"]["scored"]) == (-3, 4)
    assert found["paired"]["judge"]["unit"] == "score of 1 to 10 (small)"
    refusing = serve(*[(200, completion("I cannot."))] * 4)
    found = detect([TRACE, OTHER], [TRACE, OTHER], models=False, judge=judge_of(refusing)).to_json()
    assert found["paired"]["judge"] is None
    assert "4 refused" in found["missing"]["judge"]


def test_the_prompt_is_the_one_in_the_docs():
    page = Path(__file__).resolve().parents[2] / "docs" / "methods" / "visibility.md"
    assert f"```text\n{PROMPT}```" in page.read_text(encoding="utf-8")
