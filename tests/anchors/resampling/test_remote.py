"""Rollouts over real HTTP, from a local server that follows a script."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from antidistill import Trace, split
from antidistill.anchors import make, score_all
from antidistill.anchors.resampling import Plan, sample
from antidistill.anchors.resampling.remote import KEY_VARIABLE, RemoteWriter
from antidistill.errors import BadOption, RowError, UnknownName, UsageError

TRACE = Trace("1", "What is 2 + 3?", "I add them. 2 + 3 is 5. So it is 5.", "5", {"gold": "5"})
SENTENCES = split(TRACE.reasoning)


class Model(ThreadingHTTPServer):
    """Answers 5 once the second sentence is there, else 4 as often as 5; `script` says what goes wrong first."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.requests, self.open, self.most_open = [], [], 0, 0
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def texts(self, request):
        known = "2 + 3 is 5" in request["prompt"]
        answers = ["5" if known or number % 2 else "4" for number in range(request["n"])]
        if request["prompt"].endswith("\\boxed{"):
            return [f"{answer}}}. Done." for answer in answers]
        return [f" I say {answer}. So it is.</think>It is \\boxed{{{answer}}}." for answer in answers]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.requests.append((self.path, self.headers.get("Authorization"), request))
            server.open += 1
            server.most_open = max(server.most_open, server.open)
            wrong = server.script.pop(0) if server.script else None
        choices = [{"index": n, "text": text, "finish_reason": "stop"} for n, text in enumerate(server.texts(request))]
        status, body, wait = wrong or (200, {"choices": choices}, 0.01)
        time.sleep(wait)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        with server.lock:
            server.open -= 1
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)
        except OSError:
            pass  # the client did not wait so long

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    running = Model()
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def writer(server, **options):
    return RemoteWriter(**{"url": server.url, "model": "m", "backoff": 0.001, "attempts": 2, "timeout": 5, **options})


PLAN = Plan(rollouts=6, batch=4, max_tokens=50, forced=True)


def test_all_rollouts_come_back_from_their_beginnings(server, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "k-1")
    steps = []
    found = sample(writer(server), TRACE, SENTENCES, PLAN, gold="5", progress=steps.append)
    assert [len(place) for place in found.before] == [6] * 4 == [len(place) for place in found.forced]
    assert [sum(each.correct for each in place) for place in found.before] == [3, 3, 6, 6]
    assert [sum(each.correct for each in place) for place in found.forced] == [3, 3, 6, 6]
    assert found.before[0][0].sentence.strip() == "I say 4."
    assert found.failed == {}
    assert len(server.requests) == 16
    assert server.most_open > 1
    assert {path for path, _, _ in server.requests} == {"/v1/completions"}
    assert {key for _, key, _ in server.requests} == {"Bearer k-1"}
    prompts = {request["prompt"] for _, _, request in server.requests}
    assert "What is 2 + 3?\n<think>\n" in prompts
    assert "What is 2 + 3?\n<think>\nI add them." in prompts
    assert {request["n"] for _, _, request in server.requests} == {2, 4}
    assert len({request["seed"] for _, _, request in server.requests}) == 16
    assert steps[0].startswith("resampling: 16 requests, about ")
    assert "at most 1,968 tokens written" in steps[0]  # 24 rollouts of 50 tokens, 24 of 32


def test_a_busy_server_is_asked_again_and_a_stubborn_one_fails_alone(server):
    server.script += [(503, b"busy", 0), (200, b"<html>", 0)]
    found = sample(writer(server, attempts=3, workers=1), TRACE, SENTENCES, PLAN, gold="5")
    assert found.failed == {}
    server.script += [(500, b"out of memory", 0)] * 2
    found = sample(writer(server, workers=1), TRACE, SENTENCES, PLAN, gold="5")
    assert len(found.before[0]) == 2  # the first job of four is missing
    assert "answered 500" in found.failed[0]
    assert "out of memory" in found.failed[0]
    assert [len(place) for place in found.before[1:]] == [6] * 3


@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        {"choices": []},
        {"choices": "x"},
        {"choices": [{"message": {"content": "5"}}]},
        [],
        {"choices": [{"text": 5}]},
    ],
)
def test_rubbish_is_a_failure_with_a_reason(server, body):
    server.script += [(200, body, 0)] * 200
    with pytest.raises(RowError, match=r"127.0.0.1.*answered with something that is no completion"):
        sample(writer(server), TRACE, SENTENCES, PLAN)
    rows = score_all(make("resampling", url=server.url, model="m", plan={"rollouts": 2}), [TRACE][:0])
    assert rows == []


def test_a_slow_server_is_given_up_in_time(server):
    server.script += [(200, {"choices": [{"text": "5"}]}, 3.0)] * 2
    found = sample(writer(server, timeout=0.3, workers=1), TRACE, SENTENCES, PLAN, gold="5")
    assert "cannot be reached" in found.failed[0]
    assert sum(map(len, found.before)) == 20


def test_a_refusal_for_good_stops_and_what_was_done_is_kept(server, tmp_path):
    store = tmp_path / "rollouts.jsonl"
    server.script += [None, None, None, (401, b"wrong key", 0)]
    refused = sample(writer(server, workers=1), TRACE, SENTENCES, PLAN, gold="5", store=store)
    assert [len(place) for place in refused.before] == [6, 0, 0, 0], "two jobs with six rollouts, then a forced one"
    assert re.search(rf"answered 401.*wrong key.*/completions.*'m'.*{KEY_VARIABLE}", refused.failed[3])
    kept = len(store.read_text().splitlines()) - 1
    assert kept == 3, "what was answered before is kept"
    asked = len(server.requests)
    assert asked == 4, "the others were called off"
    store.write_bytes(store.read_bytes() + b'{"job": [2, fal')
    found = sample(writer(server, workers=1), TRACE, SENTENCES, PLAN, gold="5", store=store)
    assert len(server.requests) - asked == 16 - kept
    assert [len(place) for place in found.before] == [6] * 4
    again = sample(writer(server), TRACE, SENTENCES, PLAN, gold="5", store=store)
    assert again == found
    assert len(server.requests) - asked == 16 - kept, "nothing was asked again"
    with pytest.raises(UsageError, match="made with another temperature"):
        sample(
            writer(server),
            TRACE,
            SENTENCES,
            Plan(rollouts=6, batch=4, max_tokens=50, forced=True, temperature=1),
            store=store,
        )


def test_a_model_that_was_never_reached_is_given_up_after_three_requests(server):
    server.script += [(503, b"busy", 0)] * 100
    ours = writer(server, workers=1)
    with pytest.raises(RowError, match="answered 503.*check the URL"):
        sample(ours, TRACE, SENTENCES, PLAN)
    assert len(server.requests) == 6, "two attempts each"
    with pytest.raises(RowError, match="answered 503"):
        sample(ours, TRACE, SENTENCES, PLAN)
    assert len(server.requests) == 6
    server.script.clear()
    assert sample(writer(server), TRACE, SENTENCES, PLAN).failed == {}


def test_the_cost_of_many_traces_is_known_before_anything_is_asked(server, tmp_path):
    scorer = make(
        "resampling", measure="resampling-kl", url=server.url, model="m", store=tmp_path, plan={"rollouts": 20}
    )
    traces = [TRACE, Trace("2", "q", "", ""), Trace("3", "q", "One only.", "5")]
    spans = [SENTENCES, [], split("One only.")]
    before = scorer.cost(traces, spans)
    assert server.requests == []
    assert (before.requests, before.written) == (2 * 4 + 2 * 2, 20 * (4 + 2) * 4096)
    score_all(scorer, traces[:2], spans[:2])
    assert len(server.requests) == 8
    assert scorer.cost(traces, spans).requests == 4, "what is there already costs nothing"
    assert make("resampling", published=tmp_path).cost(traces, spans).requests == 0


def test_a_request_that_is_too_long_fails_alone(server):
    server.script += [(400, b"maximum context length is 10 tokens", 0)] * 2
    found = sample(writer(server, workers=1), TRACE, SENTENCES, PLAN, gold="5")
    assert "maximum context length is 10 tokens: it may be too long" in found.failed[0]
    assert sum(map(len, found.before)) == 18
    assert len(server.requests) == 16, "it was not asked again"


def test_as_a_scorer_the_sentence_that_decides_is_first(server, tmp_path):
    options = {"url": server.url, "model": "m", "store": tmp_path, "plan": {"rollouts": 20}}
    found = make("resampling", measure="resampling-kl", **options).score(TRACE)
    assert found.ranks[1] == 1
    assert found.values[0] == found.values[2] == 0
    shown = found.evidence["importance"]
    assert shown["values"]["resampling-accuracy"] == [0, 0.5, 0]
    assert shown["low"]["resampling-accuracy"][1] > 0
    assert shown["values"]["resampling-kl"][1] > shown["floor"]["resampling-kl"][1]
    assert make("resampling", measure="resampling-accuracy", **options).score(TRACE).values == (0, 0.5, 0)
    assert len(server.requests) == 8


def test_rows_without_a_value_keep_their_place_with_a_reason(server):
    scorer = make("resampling", measure="resampling-accuracy", url=server.url, model="m", plan={"rollouts": 2})
    unknown = Trace("2", "q", TRACE.reasoning, "5")
    rows = score_all(
        scorer, [TRACE, unknown, Trace("3", "q", "  ", "5"), Trace("4", "q", "One only.", "5", {"gold": "5"})]
    )
    assert [len(row.values) for row in rows][:2] == [3, 3]
    assert [bool(row.reason) for row in rows] == [False, True, True, False]
    assert "nobody knows which answer is right" in rows[1].reason
    assert "no sentence" in rows[2].reason


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"measure": "importance"}, UnknownName),
        ({"plan": {"rolouts": 3}}, UnknownName),
        ({"plan": {"rollouts": 1}}, BadOption),
        ({"plan": {"rollouts": "many"}}, BadOption),
        ({"plan": 3}, BadOption),
        ({"plan": {"temperature": 0}}, BadOption),
        ({"plan": {"top_p": 0}}, BadOption),
        ({"plan": {"template": "{reasoning} and more"}}, BadOption),
        ({"threshold": 2}, BadOption),
        ({"url": "ftp://x"}, BadOption),
        ({"url": "http://x", "workers": 0}, BadOption),
    ],
)
def test_bad_options_are_named(options, error):
    with pytest.raises(error):
        make("resampling", **options)


def test_nobody_there_is_named():
    nobody = RemoteWriter(url="http://127.0.0.1:9/v1", model="m", attempts=1)
    with pytest.raises(RowError, match="cannot be reached"):
        sample(nobody, TRACE, SENTENCES, Plan(rollouts=2))
