"""What reaches the engine, what comes back, and routes that are not there: over real sockets."""

import http.client
import json
import socket
import urllib.request
from urllib.error import HTTPError

import pytest
from aiohttp import web
from tests.serve.replay import context, guarded, read
from tests.serve.serving import Engine, running, streaming

from antidistill.serve.demo import scripts
from antidistill.serve.demo.engine import DemoEngine, bundled_traces

CHAT = "/v1/chat/completions"
TRACE = bundled_traces()[0]
ASK = {"model": "demo", "messages": [{"role": "user", "content": TRACE.prompt}]}


def post(url, body, headers=None, path=CHAT):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, dict(response.headers), response.read()
    except HTTPError as error:
        return error.code, dict(error.headers), error.read()


def whole(request, body):
    return web.json_response(scripts.chat_whole(TRACE.reasoning, TRACE.answer, "reasoning"))


@pytest.fixture(scope="module")
def engine():
    return Engine(whole)


@pytest.fixture(scope="module")
def proxy(engine):
    with running(engine) as own:
        yield own


def asked(engine, proxy, body, headers=None, path=CHAT):
    engine.asked.clear()
    status, _, _ = post(proxy.url, {**ASK, **body}, headers, path)
    assert status == 200
    return engine.asked[0]


def test_fields_that_bring_reasoning_out_elsewhere_do_not_reach_the_engine(engine, proxy):
    tricks = {
        "logprobs": True, "top_logprobs": 5, "prompt_logprobs": 1, "return_token_ids": True, "echo": True,
        "return_tokens_as_token_ids": True, "return_hidden_states": True, "continue_final_message": True,
        "add_generation_prompt": False, "separate_reasoning": False, "skip_special_tokens": False, "chat_template": "{{x}}",
        "custom_logit_processor": "x", "reasoning_format": "none", "vllm_xargs": {}, "n_probs": 5, "something_new": 1,
        "chat_template_kwargs": {"enable_thinking": True, "template": "x"}, "stream_options": {"continuous_usage_stats": True},
    }  # fmt: skip
    _, _, body = asked(engine, proxy, {**tricks, "temperature": 0.5})
    assert body == {**ASK, "temperature": 0.5, "chat_template_kwargs": {"enable_thinking": True}, "stream_options": {}}


def test_headers_that_ask_for_more_do_not_reach_the_engine(engine, proxy):
    headers = {"x-sglext-return-output-ids": "1", "Cookie": "a=b", "x-forwarded-host": "x", "Authorization": "Bearer k"}
    _, got, _ = asked(engine, proxy, {}, headers)
    assert got["authorization"] == "Bearer k"
    assert got["accept-encoding"] == "identity"
    assert not {"x-sglext-return-output-ids", "cookie", "x-forwarded-host"} & set(got)


def test_names_that_stand_twice_reach_the_engine_once(engine, proxy):
    engine.asked.clear()
    body = json.dumps(ASK)[:-1].encode() + b', "stream": true, "stream": false}'
    assert post(proxy.url, body)[0] == 200
    assert engine.asked[0][2]["stream"] is False


def test_long_integers_reach_the_engine_as_they_came(engine, proxy):
    _, _, body = asked(engine, proxy, {"metadata": {"id": 2**70 + 1}})
    assert body["metadata"]["id"] == 2**70 + 1


def test_a_prefix_of_the_answer_is_refused(proxy):
    turns = [*ASK["messages"], {"role": "assistant", "content": "<think>\nSo"}]
    for path in (CHAT, "/v1/messages"):
        status, _, body = post(proxy.url, {**ASK, "messages": turns}, path=path)
        assert status == 400
        assert b"last message" in body


def test_the_prompt_decides_the_edits_as_in_a_file(proxy):
    status, headers, body = post(proxy.url, ASK, {"x-request-id": "my-id"})
    message = json.loads(body)["choices"][0]["message"]
    assert (status, headers["x-request-id"]) == (200, "my-id")
    assert message["reasoning"] == guarded(TRACE, context(TRACE.prompt))
    assert message["content"] == TRACE.answer


@pytest.mark.parametrize(
    "path",
    [
        "/", "/v1", "/v1/completions", "/v1/chat/completions/", "/v1//chat/completions", "/v1/chat/completions/batch",
        "/v1/chat%2Fcompletions", "/v1/../v1/models", "/inference/v1/generate", "/generate", "/tokenize", "/detokenize",
        "/v1/responses/resp_1", "/v1/realtime", "/collective_rpc", "/slots", "/props", "/metrics", "/docs", "/V1/models",
        "/v1/models/x", "//v1/models", "/v1/messages/count_tokens", "/v1/embeddings",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_other_path_is_404(engine, proxy, path, method):
    engine.asked.clear()
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
    connection.putrequest(method, path, skip_accept_encoding=True)
    connection.putheader("Content-Length", "2")
    connection.endheaders(b"{}")
    assert connection.getresponse().status == 404
    assert engine.asked == []


def test_other_methods_are_405_and_absolute_targets_stay_here(engine, proxy):
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
    connection.request("GET", CHAT)
    assert connection.getresponse().status == 405
    engine.asked.clear()
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
    connection.request("POST", "http://169.254.169.254" + CHAT, json.dumps(ASK), {"Content-Type": "application/json"})
    assert connection.getresponse().status in {200, 404}
    assert all(path == CHAT for path, _, _ in engine.asked)


SMUGGLED = [
    b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Transfer-Encoding: chunked, identity\r\nContent-Length: 5",
    b"Transfer-Encoding : chunked",
    b"Content-Length: +5",
    b"X: a\nTransfer-Encoding: chunked\nContent-Length: 0",
]


@pytest.mark.parametrize("headers", SMUGGLED)
def test_smuggled_requests_do_not_reach_the_engine(engine, proxy, headers):
    engine.asked.clear()
    host, port = proxy.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as sock:
        hidden = b"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
        sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n0\r\n\r\n" + hidden)
        sock.settimeout(5)
        answer = sock.recv(65_536)
    assert b" 200 " not in answer
    assert engine.asked == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", b'"x"'])
def test_bodies_that_are_no_requests_are_400(engine, proxy, body):
    engine.asked.clear()
    assert post(proxy.url, body)[0] == 400
    assert engine.asked == []


def test_large_bodies_are_413():
    with running(Engine(whole), {"limits": {"max_body_bytes": 1000, "retries": 0}}) as own:
        assert post(own.url, {**ASK, "user": "x" * 2000})[0] == 413


def test_own_routes_and_the_models_of_the_engine():
    trace_engine = DemoEngine(bundled_traces())

    class Models(Engine):
        async def handle(self, request):
            return await trace_engine.handle(request)

    with running(Models(whole)) as own:
        for path, wanted in (
            ("/livez", "alive"),
            ("/readyz", "ready"),
            ("/version", "version"),
            ("/v1/models", "demo"),
        ):
            with urllib.request.urlopen(own.url + path, timeout=5) as response:
                assert wanted.encode() in response.read()


def test_an_error_body_does_not_quote_the_request():
    secret = "Wait, the restored original."

    def refuse(request, body):
        error = {
            "message": f"cannot read {secret!r}; maximum context length is 4096 tokens",
            "type": "BadRequestError",
            "code": 400,
        }
        return web.json_response({"error": error, "detail": secret}, status=400)

    with running(Engine(refuse)) as own:
        for path in (CHAT, "/v1/messages", "/v1/responses"):
            status, _, body = post(own.url, ASK, path=path)
            assert status == 400
            assert b"Wait" not in body
            assert b"4096" in body
        assert json.loads(post(own.url, ASK)[2])["error"]["type"] == "BadRequestError"


def test_the_next_turn_gets_the_original_back():
    engine = Engine(whole)
    with running(engine) as own:
        message = json.loads(post(own.url, ASK)[2])["choices"][0]["message"]
        assert message["reasoning"] != TRACE.reasoning
        turns = [*ASK["messages"], message, {"role": "user", "content": "And now?"}]
        body = post(own.url, {**ASK, "messages": turns})
        assert engine.asked[1][2]["messages"][1]["reasoning"] == TRACE.reasoning
        assert TRACE.reasoning.encode() not in body[2]


def test_a_trusted_client_sees_originals_and_no_field_is_closed_for_it():
    import hashlib

    engine = Engine(whole)
    policy = {
        "tenants": {"partner": {"key_sha256": [hashlib.sha256(b"open").hexdigest()]}},
        "rules": [{"name": "partner", "tenants": ["partner"], "trusted": True}],
    }
    with running(engine, policy) as own:
        body = json.loads(post(own.url, {**ASK, "logprobs": True}, {"Authorization": "Bearer open"})[2])
        assert body["choices"][0]["message"]["reasoning"] == TRACE.reasoning
        assert engine.asked[0][2]["logprobs"] is True
        other = json.loads(post(own.url, ASK, {"Authorization": "Bearer other"})[2])
        assert other["choices"][0]["message"]["reasoning"] != TRACE.reasoning


def test_a_plain_answer_streams_once_the_model_was_seen_to_mark_its_reasoning():
    marked = [*scripts.chat("So. Fine.", "A.", "reasoning"), scripts.DONE]
    plain = [*scripts.chat("", "One two three.", "reasoning"), scripts.DONE]
    answers = iter([marked, plain])
    with running(Engine(lambda request, body: streaming(*next(answers), pause=0.002)(request, body))) as own:
        post(own.url, {**ASK, "stream": True})
        out = post(own.url, {**ASK, "stream": True})[2]
        assert out == b"".join(plain)
        assert read(CHAT, "reasoning", out).answer == "One two three."
