"""Redis dies while the proxy serves: what clients see, what the engine gets, what the log and the metrics say."""

import asyncio
import json
import logging
import threading

import pytest
from aiohttp import web
from tests.serve.app.test_requests import ASK, CHAT, TRACE, post
from tests.serve.replay import context, guarded, read
from tests.serve.serving import Engine, running
from tests.serve.turns.conftest import redis_server

from antidistill.serve.demo import scripts
from antidistill.serve.operations.logs import JsonLines
from antidistill.serve.turns import stores

__all__ = ["redis_server"]
GUARDED = guarded(TRACE, context(TRACE.prompt))
EVENTS = [*scripts.chat(TRACE.reasoning, TRACE.answer, "reasoning"), scripts.DONE]


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "antidistill.serve")
    return lambda: [json.loads(JsonLines().format(record)) for record in caplog.records]


class Paused(Engine):
    """An engine that says half of its answer and waits; bodies come whole."""

    def __init__(self):
        super().__init__(self.said)
        self.go_on, self.half = threading.Event(), threading.Event()
        self.go_on.set()

    def said(self, request, body):
        if body.get("stream"):
            return self.stream()
        return web.json_response(scripts.chat_whole(TRACE.reasoning, TRACE.answer, "reasoning"))

    async def stream(self):
        for number, event in enumerate(EVENTS):
            yield event
            if number == len(EVENTS) // 2:
                self.half.set()
                while not self.go_on.is_set():
                    await asyncio.sleep(0.01)


def next_turn(url, message):
    """The second turn; what the engine got of the first one's reasoning, and the status."""
    status, _, body = post(url, {**ASK, "messages": [*ASK["messages"], message, {"role": "user", "content": "And?"}]})
    return status, json.loads(body)


def metric(own, name, **labels):
    return own.server._metrics.registry.get_sample_value(f"antidistill_{name}", labels)


def test_redis_dies_in_the_middle_of_a_stream_and_comes_back(redis_server, lines, monkeypatch):
    monkeypatch.setattr(stores, "_PAUSE", 0.3)
    engine = Paused()
    with running(engine, {"turns": {"store": redis_server.url}}) as own:
        message = json.loads(post(own.url, ASK)[2])["choices"][0]["message"]
        assert next_turn(own.url, message)[0] == 200
        assert engine.asked[-1][2]["messages"][1]["reasoning"] == TRACE.reasoning

        engine.go_on.clear()
        answers = []
        client = threading.Thread(target=lambda: answers.append(post(own.url, {**ASK, "stream": True})))
        client.start()
        assert engine.half.wait(10)
        redis_server.stop()
        engine.go_on.set()
        client.join(20)
        status, _, out = answers[0]
        assert status == 200
        assert read(CHAT, "reasoning", out) == ([GUARDED], TRACE.answer)  # the client sees no difference

        status, body = next_turn(own.url, message)  # nor now: the turn goes on with what the client has
        assert status == 200
        assert body["choices"][0]["message"]["content"] == TRACE.answer
        assert engine.asked[-1][2]["messages"][1]["reasoning"] == GUARDED
        assert metric(own, "store_failures_total") >= 2
        assert metric(own, "restore_misses_total", reason="store-down") == 1

        redis_server.start()
        asyncio.run(asyncio.sleep(0.35))
        message = json.loads(post(own.url, ASK)[2])["choices"][0]["message"]
        next_turn(own.url, message)
        assert engine.asked[-1][2]["messages"][1]["reasoning"] == TRACE.reasoning
    told = [line for line in lines() if line["event"].startswith("the store of originals failed")]
    assert told
    assert {line["exception"]["type"] for line in told} == {"StoreDown"}
    assert {line["code"] for line in lines() if line["event"] == "request"} == {"ok"}
    text = json.dumps(lines())
    assert "password-of-redis" not in text
    assert TRACE.reasoning[:40] not in text


def test_tokens_need_no_redis(redis_server, lines):
    engine = Paused()
    with running(engine, {"turns": {"mode": "both", "store": redis_server.url}}) as own:
        redis_server.stop()
        message = json.loads(post(own.url, ASK)[2])["choices"][0]["message"]
        assert message["reasoning"] == GUARDED
        next_turn(own.url, message)
        assert engine.asked[-1][2]["messages"][1]["reasoning"] == TRACE.reasoning
