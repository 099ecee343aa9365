"""Headers of the engine: what a client needs of them, and no sentence."""

import json
import urllib.request

import pytest
from aiohttp import web
from tests.serve.app.test_requests import ASK, CHAT, TRACE, post
from tests.serve.serving import Engine, running

from antidistill.serve.demo import scripts

SECRET = "Wait, that secret step is wrong"


def answering(headers, body=None):
    whole = scripts.chat_whole(TRACE.reasoning, TRACE.answer) if body is None else body
    return Engine(lambda request, asked: web.json_response(whole, headers=headers))


@pytest.mark.parametrize("name", ["request-id", "retry-after", "openai-version", "cf-ray", "x-reasoning", "link"])
@pytest.mark.parametrize("value", [SECRET, "Wait, no", "Hmm?"])
def test_no_header_carries_text(name, value):
    with running(answering({name: value})) as own:
        status, headers, _ = post(own.url, ASK)
    assert status == 200
    assert value not in headers.values()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request-id", "req_011CSHoEeqs5C35K2UUqR7Fy"),
        ("retry-after", "30"),
        ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("x-ratelimit-reset-tokens", "6m0.5s"),
        ("x-ratelimit-remaining-requests", "59"),
    ],
)
def test_headers_that_clients_read_leave_as_they_came(name, value):
    with running(answering({name: value})) as own:
        headers = {seen.lower(): told for seen, told in post(own.url, ASK)[1].items()}
    assert headers[name] == value


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("text/event-stream", "text/event-stream"),
        ("text/event-stream; charset=UTF-8", "text/event-stream; charset=utf-8"),
        (f'text/event-stream; note="{SECRET}"', "text/event-stream"),
    ],
)
def test_the_type_of_a_stream_has_no_parameters_that_nobody_needs(kind, seen):
    data = b"".join((*scripts.chat(TRACE.reasoning, TRACE.answer), scripts.DONE))
    engine = Engine(lambda request, asked: web.Response(body=data, headers={"Content-Type": kind}))
    with running(engine) as own:
        asked = urllib.request.Request(own.url + CHAT, json.dumps({**ASK, "stream": True}).encode())
        with urllib.request.urlopen(asked, timeout=20) as response:
            assert response.headers["Content-Type"] == seen
