"""Text that is held for too long while the engine stalls: what the client sees, what the log says, what is counted."""

import asyncio
import json
import logging
import re
import threading
import time
import urllib.request

import pytest
from tests.serve.app.test_requests import ASK, CHAT, post
from tests.serve.plugins.conftest import free_port
from tests.serve.replay import CASES, context, events, guarded, payloads, read
from tests.serve.serving import Engine, running

from antidistill.serve.demo import scripts
from antidistill.serve.operations.logs import JsonLines
from antidistill.trace import Trace

STREAM = {**ASK, "stream": True}
TRACE = Trace("1", "p", "First a step. Wait, the secret step is wrong. So it is 4.", "Four.")
PRESENT = [case for case in CASES if case[1] not in {"unopened", "summary"}]
SHORT = {"hold_seconds": 0.2, "retries": 0}


@pytest.fixture
def told(caplog):
    """The log line of the request."""
    caplog.set_level(logging.INFO, "antidistill.serve")

    def line():
        lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
        return next(line for line in lines if line["event"] == "request")

    return line


def stalling(pieces, word, seconds=0.4):
    """An engine that stands still behind the first event with this word."""

    async def answer(request, body):
        waited = False
        for piece in pieces:
            yield piece
            if word in piece and not waited:
                waited = True
                await asyncio.sleep(seconds)

    return Engine(answer)


def until_read(pieces, word):
    """An engine that stands still behind the first event with this word until the test has read the whole response."""
    done = threading.Event()

    async def answer(request, body):
        for piece in pieces:
            yield piece
            while word in piece and not done.is_set():
                await asyncio.sleep(0.02)

    return Engine(answer), done


def asked(route, style=""):
    return {**STREAM, "model": style or "demo", "input" if route == "/v1/responses" else "messages": ASK["messages"]}


@pytest.mark.parametrize(("route", "style"), PRESENT)
def test_reasoning_ends_before_the_held_sentence_and_the_answer_goes_on(route, style, told):
    engine = stalling(events(route, style, TRACE), b" secret")
    with running(engine, {"limits": SHORT}) as own:
        said = read(route, style, post(own.url, asked(route), path=route)[2])
    assert {text.strip() for text in said.reasoning} == {"First a step."}
    assert said.answer == "Four."
    line = told()
    assert (line["code"], line["reason"]) == ("ok", "HeldTooLong")
    assert "secret" not in json.dumps(line)


@pytest.mark.parametrize(("route", "style"), PRESENT)
def test_the_client_is_told_at_once_where_the_policy_says_fail(route, style, told):
    engine, done = until_read(events(route, style, TRACE), b" secret")
    with running(engine, {"limits": SHORT, "default": {"on_failure": "fail"}}) as own:
        out = post(own.url, asked(route), path=route)[2]
        done.set()
    assert b"secret" not in out
    last = payloads(out)[-1]
    assert last.get("type") == "error" or "error" in last
    line = told()
    assert (line["code"], line["reason"]) == ("failed", "HeldTooLong")


def test_what_comes_later_leaves_raw_where_the_policy_says_pass(told):
    with running(
        stalling(events(CHAT, "reasoning", TRACE), b" secret"),
        {"limits": SHORT, "default": {"on_failure": "pass"}},
    ) as own:
        said = read(CHAT, "reasoning", post(own.url, STREAM)[2])
    assert said == (["First a step. step is wrong. So it is 4."], "Four.")


def test_a_stall_between_sentences_costs_nothing(told):
    engine = stalling(events(CHAT, "reasoning", TRACE, lambda text: re.split(r"(?<=\. )", text)), b"First a step. ")
    with running(engine, {"limits": SHORT}) as own:
        said = read(CHAT, "reasoning", post(own.url, STREAM)[2])
    assert said == (["First a step. So it is 4."], "Four.")
    assert "reason" not in told()


def test_a_piece_of_which_only_a_part_left_is_late_too(told):
    engine = stalling(
        [scripts._chunk({"reasoning": "First a step. Wait, the sec"}, 0), *scripts.chat("", "Four.")], b"sec"
    )
    with running(engine, {"limits": SHORT}) as own:
        assert b"Wait" not in post(own.url, STREAM)[2]
    assert told()["reason"] == "HeldTooLong"


def test_a_stream_that_is_slow_but_decides_is_not_late(told):
    trace = Trace("1", ASK["messages"][0]["content"], "Wait, a. So b. " * 6, "Four.")

    async def slow(request, body):
        for event in [*scripts.chat(trace.reasoning, trace.answer), scripts.DONE]:
            yield event
            await asyncio.sleep(0.04)

    with running(Engine(slow), {"limits": {"hold_seconds": 0.5, "retries": 0}}) as own:
        said = read(CHAT, "reasoning_content", post(own.url, STREAM)[2])
    assert said == ([guarded(trace, context(trace.prompt))], "Four.")
    assert "reason" not in told()


@pytest.mark.parametrize(("then", "seen"), [("drop-reasoning", b""), ("fail", b""), ("pass", b"Plain")])
def test_text_of_which_nobody_knows_what_it_is_fails_the_response(then, seen, told):
    engine, done = until_read([*scripts.chat("", "Plain words so far."), scripts.DONE], b" far.")
    limits = {"limits": SHORT, "default": {"on_failure": then}}
    if then == "pass":
        done.set()
        engine = stalling([*scripts.chat("", "Plain words so far."), scripts.DONE], b" far.")
    with running(engine, limits) as own:
        out = post(own.url, STREAM)[2]
        done.set()
    assert (b"Plain" in out) == bool(seen)
    assert ("error" in payloads(out)[-1]) == (not seen)
    line = told()
    assert line["code"] == ("ok" if seen else "failed")


@pytest.mark.parametrize("route", ["/v1/messages", "/v1/responses"])
def test_thinking_whose_signature_does_not_come_is_guarded_as_any_other(route, told):
    pieces = [piece.replace(b'"demo"', b'"claude-x"') for piece in events(route, "", TRACE)]
    with running(stalling(pieces, b" secret"), {"limits": SHORT}) as own:
        out = post(own.url, {**asked(route), "model": "claude-x"}, path=route)[2]
    said = read(route, "", out)
    assert said.answer == "Four."
    assert "First a step." in said.reasoning[0]
    assert "secret" not in out.decode()


def test_too_much_undecided_text_fails_the_response(told):
    engine = Engine(lambda request, body: _pieces([*scripts.chat("", "word " * 200), scripts.DONE]))
    with running(engine, {"limits": {"undecided_bytes": 300, "retries": 0}}) as own:
        out = post(own.url, STREAM)[2]
    assert b"word" not in out
    assert payloads(out)[-1]["error"]
    assert told()["reason"] == "HeldTooLong"


async def _pieces(pieces):
    for piece in pieces:
        yield piece


def test_times_and_failures_are_counted():
    port = free_port()
    with running(stalling(events(CHAT, "reasoning", TRACE), b" secret"), {"limits": SHORT}, metrics_port=port) as own:
        post(own.url, STREAM)
        deadline = time.monotonic() + 10
        while own.server.proxy.gate.inside and time.monotonic() < deadline:  # it is counted behind the last byte
            time.sleep(0.01)
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    assert 'antidistill_defense_failures_total{then="drop-reasoning"} 1.0' in text
    count, total = (
        float(re.search(rf"^antidistill_hold_seconds_{name} (\S+)$", text, re.M)[1]) for name in ("count", "sum")
    )
    assert count >= 1
    assert total >= 0.15


def test_a_fault_of_ours_in_that_moment_ends_the_stream_with_an_error(monkeypatch, caplog):
    def broken(lane):
        raise RuntimeError("broken")

    monkeypatch.setattr("antidistill.serve.guard.lane.Lane.expire", broken)
    engine, done = until_read(events(CHAT, "reasoning_content", TRACE), b" secret")
    with running(engine, {"limits": SHORT}) as own:
        out = post(own.url, asked(CHAT))[2]
        done.set()
    assert b"secret" not in out
    assert payloads(out)[-1]["error"]["code"] == "guard_failed"
    assert any(record.exc_info and "broken" in str(record.exc_info[1]) for record in caplog.records)
