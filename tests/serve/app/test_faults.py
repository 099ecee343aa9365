"""Faults of engine, client, defense and surroundings: what the client sees and what the log says. Never raw text, never a hang."""

import asyncio
import gzip
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest
from aiohttp import web
from tests.serve.app.test_requests import ASK, CHAT, TRACE, post
from tests.serve.replay import context, guarded, payloads, read
from tests.serve.serving import Engine, running, streaming

import antidistill as ad
from antidistill.serve.demo import scripts
from antidistill.serve.demo.engine import bundled_traces
from antidistill.serve.operations.logs import JsonLines

SECRET = "Wait, that secret step is wrong"
BEGUN = [scripts._chunk({"reasoning_content": text}, 0) for text in ("First a step. ", SECRET)]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
STREAM = {**ASK, "stream": True}


@pytest.fixture
def lines(caplog):
    """Log lines of the test, as JSON text."""
    caplog.set_level(logging.INFO, "antidistill.serve")
    return lambda: [json.loads(JsonLines().format(record)) for record in caplog.records]


def outcome(lines):
    return next(line for line in lines() if line["event"] == "request")


def chunked(*pieces):
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


def raw(*sent, head=HEAD, wait=0.05, reset=False):
    """An engine that sends these bytes and then closes or resets the connection."""

    async def answer(request, reader, writer):
        writer.write(head)
        for piece in sent:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(wait)
        if reset:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()

    return answer


def assert_told(out, code):
    """The client was told, nothing raw left, and the stream ended."""
    assert b"secret step" not in out
    assert payloads(out)[-1]["error"]["code"] == code


def test_the_engine_refuses(lines):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with running(f"http://127.0.0.1:{port}", {"limits": {"retries": 1, "connect_seconds": 1}}) as own:
        status, _, body = post(own.url, STREAM)
    assert status == 502
    assert json.loads(body)["error"]["code"] == "upstream_gone"
    assert outcome(lines)["code"] == "upstream_error"
    assert outcome(lines)["retries"] == 1


@pytest.mark.parametrize("reset", [True, False])
def test_the_engine_leaves_in_the_middle_of_an_event(lines, reset):
    half = BEGUN[1][: len(BEGUN[1]) // 2]
    with running(raw(chunked(*BEGUN, half), reset=reset)) as own:
        status, _, out = post(own.url, STREAM)
    assert status == 200
    assert b"First a step." in out
    assert_told(out, "upstream_gone")
    assert outcome(lines)["code"] == "upstream_error"


def test_the_engine_closes_properly_but_too_early(lines):
    with running(Engine(streaming(*BEGUN))) as own:
        assert_told(post(own.url, STREAM)[2], "upstream_gone")
    assert outcome(lines)["reason"] == "UpstreamGone"


def test_the_engine_leaves_before_its_answer(lines):
    async def leave(request, reader, writer):
        return None

    with running(leave) as own:
        assert post(own.url, STREAM)[0] == 502
    told = outcome(lines)
    assert (told["code"], told["reason"], told["status"]) == ("upstream_error", "UpstreamGone", 502)


def test_the_engine_stalls(lines):
    with running(raw(chunked(*BEGUN), wait=30), {"limits": {"idle_seconds": 0.5, "retries": 0}}) as own:
        began = time.monotonic()
        assert_told(post(own.url, STREAM)[2], "upstream_stalled")
        assert time.monotonic() - began < 10
    assert outcome(lines)["reason"] == "UpstreamStalled"


def test_the_engine_never_answers(lines):
    with running(raw(head=b"", wait=30), {"limits": {"idle_seconds": 0.5, "retries": 0}}) as own:
        assert post(own.url, ASK)[0] in {502, 504}
    assert outcome(lines)["reason"] in {"UpstreamGone", "UpstreamStalled"}


@pytest.mark.parametrize(
    "garbage",
    [
        b"data: <html>secret step</html>\n\n",
        b'data: {"choices": [secret step\n\n',
        b"data: [1]\n\n",
        b"data: \xff\xfe\n\n",
    ],
)
def test_the_engine_sends_garbage(lines, garbage):
    with running(Engine(streaming(*BEGUN, garbage, b"data: [DONE]\n\n"))) as own:
        assert_told(post(own.url, STREAM)[2], "upstream_garbage")
    assert outcome(lines)["reason"] == "UpstreamGarbage"


def test_half_a_character(lines):
    event = scripts._chunk({"reasoning_content": "So é. "}, 0)
    half = event.replace("é".encode(), b"\xc3")
    with running(Engine(streaming(event, *BEGUN, half, scripts.DONE))) as own:
        assert_told(post(own.url, STREAM)[2], "upstream_garbage")
    assert outcome(lines)["reason"] == "UpstreamGarbage"


def test_an_event_of_50_megabytes(lines):
    huge = b'data: {"choices":[{"delta":{"reasoning":"' + SECRET.encode() * 1_600_000 + b'"}}]}\n\n'
    assert len(huge) > 48_000_000
    with running(Engine(streaming(BEGUN[0], huge, scripts.DONE))) as own:
        assert_told(post(own.url, STREAM)[2], "upstream_garbage")
    assert outcome(lines)["reason"] == "UpstreamGarbage"


@pytest.mark.parametrize("status", [500, 502, 503, 529, 301])
def test_the_engine_answers_with_an_error_status(lines, status):
    engine = Engine(lambda request, body: web.Response(status=status, text=SECRET, headers={"Location": "http://x/"}))
    with running(engine) as own:
        got, _, body = post(own.url, STREAM)
    assert got == (status if status >= 400 else 502)
    assert b"secret" not in body
    assert json.loads(body)["error"]["type"] == "upstream_error"
    told = outcome(lines)
    assert (told["code"], told["reason"]) == ("upstream_error", "status")


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/octet-stream"])
def test_a_wrong_content_type(lines, kind):
    with running(Engine(lambda request, body: web.Response(text=SECRET, content_type=kind))) as own:
        status, _, body = post(own.url, STREAM)
    assert status == 502
    assert b"secret" not in body
    assert outcome(lines)["reason"] == "UpstreamGarbage"


def test_a_body_instead_of_a_stream_and_a_stream_instead_of_a_body(lines):
    whole = scripts.chat_whole(TRACE.reasoning, TRACE.answer, "reasoning")
    with running(Engine(lambda request, body: web.json_response(whole))) as own:
        message = json.loads(post(own.url, STREAM)[2])["choices"][0]["message"]
        assert message["reasoning"] == guarded(TRACE, context(TRACE.prompt))
    events = [*scripts.chat(TRACE.reasoning, TRACE.answer), scripts.DONE]
    with running(Engine(streaming(*events))) as own:
        said = read(CHAT, "reasoning_content", post(own.url, ASK)[2])
        assert said.reasoning == [guarded(TRACE, context(TRACE.prompt))]


def test_a_compressed_stream_is_read(lines):
    data = gzip.compress(b"".join([*scripts.chat(TRACE.reasoning, TRACE.answer), scripts.DONE]))
    head = HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
    with running(raw(chunked(data[:100], data[100:]) + b"0\r\n\r\n", head=head)) as own:
        _, headers, out = post(own.url, STREAM)
        assert "Content-Encoding" not in headers
        assert read(CHAT, "reasoning_content", out).reasoning == [guarded(TRACE, context(TRACE.prompt))]
    assert outcome(lines)["code"] == "ok"


def test_a_compressed_stream_that_is_broken(lines):
    head = HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
    with running(raw(chunked(b"not compressed, secret step") + b"0\r\n\r\n", head=head)) as own:
        status, _, out = post(own.url, STREAM)
        assert b"secret" not in out
        assert status == 502 or b'"error"' in out
    assert outcome(lines)["code"] == "upstream_error"


def test_a_body_that_breaks_off(lines):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    with running(raw(b'{"choices":[{"message":{"reasoning":"secret step', head=head)) as own:
        status, _, body = post(own.url, ASK)
        assert status == 502
        assert b"secret" not in body
    assert outcome(lines)["reason"] == "UpstreamGone"


def test_an_error_in_the_stream(lines):
    error = b'data: {"error":{"message":"secret step failed","type":"server_error","code":500}}\n\n'
    with running(Engine(streaming(*BEGUN, error, scripts.DONE))) as own:
        out = post(own.url, STREAM)[2]
    assert_told(out, 500)
    assert outcome(lines)["code"] == "upstream_error"


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses", "/api/chat"])
def test_every_dialect_tells_its_clients(lines, path):
    from tests.serve.replay import events

    begun = events(path, "", TRACE)[:12]
    with running(Engine(streaming(*begun))) as own:
        last = payloads(post(own.url, STREAM, path=path)[2])[-1]
    assert last.get("type") == "error" or "error" in last
    assert (outcome(lines)["code"], outcome(lines)["route"]) == ("upstream_error", path)


def test_the_client_vanishes(lines):
    engine = Engine(streaming(*BEGUN * 5000, pause=0.005))
    with running(engine) as own:
        host, port = own.url.removeprefix("http://").split(":")
        body = json.dumps(STREAM).encode()
        with socket.create_connection((host, int(port))) as sock:
            sock.sendall(
                b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (CHAT.encode(), len(body), body)
            )
            assert b"200 OK" in sock.recv(1000)
        assert engine.gone.wait(10), "the engine still writes"
        assert own.server.proxy.gate.inside == 0
    assert outcome(lines)["code"] == "client_gone"


def test_a_client_that_reads_slowly_holds_the_engine_back(lines):
    sent = 0

    async def answer(request, body):
        nonlocal sent
        for _ in range(4000):
            yield scripts._chunk({"content": "x" * 10_000}, 0)
            sent += 1

    with running(
        Engine(answer), {"limits": {"idle_seconds": 3, "retries": 0}, "default": {"unopened": "answer"}}
    ) as own:
        host, port = own.url.removeprefix("http://").split(":")
        body = json.dumps(STREAM).encode()
        with socket.create_connection((host, int(port))) as sock:
            sock.sendall(
                b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (CHAT.encode(), len(body), body)
            )
            time.sleep(1.5)
            assert sent < 3000, "40 MB were taken from the engine for a client that reads nothing"
            deadline = time.monotonic() + 15
            while own.server.proxy.gate.inside and time.monotonic() < deadline:
                time.sleep(0.1)
            assert own.server.proxy.gate.inside == 0, "a client that never reads is never let go"
    assert outcome(lines)["code"] == "client_gone"


@dataclass(frozen=True)
class Broken:
    """A defense that fails behind its first sentence."""

    streams = True
    after: int = 20

    def begin(self, trace_key):
        return BrokenEditor(self.after)


class BrokenEditor:
    def __init__(self, after):
        self.edits, self.after, self.seen = [], after, 0

    def feed(self, text):
        self.seen += len(text)
        if self.seen > self.after:
            raise ValueError(f"cannot edit {text}")
        return text

    def close(self):
        return ""


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("then", ["drop-reasoning", "fail", "pass"])
def test_the_defense_raises(lines, monkeypatch, then, stream):
    from antidistill.serve.policies import policy as policies

    monkeypatch.setattr("antidistill.serve.policies.snapshot.make", lambda *args, **options: Broken())
    monkeypatch.setattr("antidistill.serve.policies.snapshot.spec", lambda defense: "{}")
    assert policies
    reasoning = "First a step here. Then the secret step. And more."
    events = [*scripts.chat(reasoning, "Four."), scripts.DONE]
    whole = scripts.chat_whole(reasoning, "Four.")
    engine = Engine(streaming(*events) if stream else lambda request, body: web.json_response(whole))
    with running(engine, {"default": {"on_failure": then}}) as own:
        status, _, out = post(own.url, STREAM if stream else ASK)
    told = outcome(lines)
    if then == "pass":
        assert b"secret" in out
    else:
        assert b"secret" not in out
    if then == "fail":
        assert (status == 200 and payloads(out)[-1]["error"]) if stream else status == 502
        assert told["code"] == "failed"
    else:
        assert b"Four." in out
        assert told["code"] == "ok"
    assert told["reason"] in {"ValueError", "DefenseError", "Refused"}
    assert "secret" not in json.dumps(lines())


def test_a_fault_of_our_own_in_the_middle_of_a_stream(lines, monkeypatch):
    from antidistill.serve.dialects.chat import ChatStream

    own_chunk = ChatStream._chunk

    def broken(self, raw, event, out):
        if b"secret" in raw:
            raise KeyError(f"no such place in {raw!r}")
        own_chunk(self, raw, event, out)

    monkeypatch.setattr(ChatStream, "_chunk", broken)
    monkeypatch.setattr(ChatStream, "_learned", lambda self, chunk, choice: [])
    later = [scripts._chunk({"content": TRACE.answer}, 0), scripts.DONE]
    with running(Engine(streaming(*BEGUN, *later, pause=0.05))) as own:
        out = post(own.url, STREAM)[2]
    assert b"First a step." in out
    assert TRACE.answer.encode() not in out
    assert_told(out, "guard_failed")
    assert (outcome(lines)["code"], outcome(lines)["reason"]) == ("failed", "DefenseError")
    assert next(line for line in lines() if line["event"] == "failure")["exception"]["type"] == "KeyError"
    assert "secret" not in json.dumps(lines())


def test_too_much_held_text_ends_the_reasoning(lines):
    reasoning = "Wait, " + "on and on, " * 300
    events = [*scripts.chat(reasoning, "Four."), scripts.DONE]
    with running(Engine(streaming(*events)), {"limits": {"hold_bytes": 1000, "retries": 0}}) as own:
        out = post(own.url, STREAM)[2]
    assert b"on and on" not in out
    assert b"Four." in out
    assert (outcome(lines)["code"], outcome(lines)["reason"]) == ("ok", "HeldTooLong")


def test_logs_hold_no_text_and_no_keys(lines):
    events = [*scripts.chat(TRACE.reasoning, TRACE.answer), scripts.DONE]
    with running(Engine(streaming(*events))) as own:
        post(own.url, STREAM, {"Authorization": "Bearer sk-very-secret"})
    text = json.dumps(lines())
    assert "sk-very-secret" not in text
    for sentence in ad.split(TRACE.reasoning):
        assert sentence.strip() not in text


def test_a_config_that_becomes_invalid_changes_nothing(tmp_path, lines):
    path = tmp_path / "policy.yaml"
    demo = Engine(streaming(*scripts.chat(TRACE.reasoning, TRACE.answer), scripts.DONE))
    with running(demo) as own:
        path.write_text("default: {method: traceguard}")
        book = own.server._book
        book._path = path
        path.write_text("limits: {max_streems: 3}")
        own.loop.call_soon_threadsafe(own.server._reload)
        out = post(own.url, STREAM)[2]
        assert read(CHAT, "reasoning_content", out).reasoning == [guarded(TRACE, context(TRACE.prompt))]
    failed = next(line for line in lines() if line["event"].startswith("policies not reloaded"))
    assert "max_streams" in failed["exception"]["message"]
    assert outcome(lines)["code"] == "ok"


def test_sigterm_under_load_lets_streams_finish():
    traces = bundled_traces()
    events = [*scripts.chat(traces[0].reasoning, traces[0].answer), scripts.DONE]
    with running(Engine(streaming(*events, pause=0.01))) as own:
        engine_url = own.server._url
        code = "from antidistill.cli.main import main; main()"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        arguments = ["serve", "--upstream", engine_url, "--port", "0", "--method", "none", "--key-file", "/dev/stdin"]
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
        assert process.stdin
        assert process.stderr
        process.stdin.write(b"0123456789abcdef")
        process.stdin.close()
        port = json.loads(process.stderr.readline())["port"]
        results = []

        async def ask():
            result = await asyncio.to_thread(post, f"http://127.0.0.1:{port}", STREAM)
            results.append(result)

        async def main():
            tasks = [asyncio.create_task(ask()) for _ in range(5)]
            await asyncio.sleep(0.6)
            process.send_signal(signal.SIGTERM)
            await asyncio.gather(*tasks)

        asyncio.run(main())
        assert process.wait(20) == 0
        assert [out for _, _, out in results] == [b"".join(events)] * 5
        log = process.stderr.read().decode()
        assert '"draining"' in log
        assert '"stopped"' in log
