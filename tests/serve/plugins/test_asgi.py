"""The ASGI middleware before an application that answers like an engine, over real sockets."""

import threading
import urllib.error
import urllib.request
from http.client import IncompleteRead

import orjson
import pytest

pytest.importorskip("uvicorn", reason="needs uvicorn")

import uvicorn
from tests.serve.plugins.conftest import REASONING, REMOVED, TRACE, free_port, post

import antidistill as ad
from antidistill.errors import UnknownName
from antidistill.serve.demo import engine as demo
from antidistill.serve.plugins.asgi import GuardMiddleware

GUARDED = ad.guard(TRACE, ad.defense("traceguard")).reasoning
MESSAGES = [{"role": "user", "content": TRACE.prompt}]
ASKED = {
    "/v1/chat/completions": {"model": "demo", "messages": MESSAGES},
    "/v1/messages": {"model": "demo", "messages": MESSAGES, "max_tokens": 100},
    "/v1/responses": {"model": "demo", "input": TRACE.prompt},
    "/api/chat": {"model": "demo", "messages": MESSAGES},
}


class App:
    """An application with the routes of an engine, and some that show the raw output."""

    def __init__(self):
        self.bodies, self.headers = [], []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = scope["path"]
        asked = orjson.loads(body) if body else {}
        self.bodies.append(asked)
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        if asked.get("model") == "bad":
            await answer(send, orjson.dumps({"error": {"message": REASONING}}), 500)
        elif asked.get("model") == "packed":
            await answer(send, b"\x1f\x8b", extra=[(b"content-encoding", b"gzip")])
        elif path not in ASKED:
            await answer(send, orjson.dumps({"path": path, "raw": REASONING}))
        elif not asked.get("stream"):
            await answer(send, orjson.dumps(demo.whole(path, TRACE, "reasoning_content")))
        else:
            kind = b"application/x-ndjson" if path == "/api/chat" else b"text/event-stream"
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
            for event in demo.stream(path, TRACE, "reasoning_content"):
                for half in (event[: len(event) // 2], event[len(event) // 2 :]):
                    await send({"type": "http.response.body", "body": half, "more_body": True})
                if asked["model"] == "dying" and b"Wait" in event:
                    raise ConnectionResetError
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def answer(send, body, status=200, extra=()):
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def served():
    app = App()
    sections = {"rules": [{"name": "off", "models": ["original"], "method": "off"}], "turns": {"mode": "store"}}
    port = free_port()
    guarded = GuardMiddleware(app, sections={**sections, "key_file": None, "limits": {"max_body_bytes": 100_000}})
    server = uvicorn.Server(uvicorn.Config(guarded, port=port, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield f"http://127.0.0.1:{port}", app
    server.should_exit = True
    thread.join()


@pytest.fixture(autouse=True, scope="module")
def _own_folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("asgi"))
        yield


def reasoning_of(value):
    """All texts in a body or in events that are not the answer's, joined."""
    if isinstance(value, dict):
        names = (
            ("reasoning_content", "thinking", "text", "delta") if "role" not in value or value.get("thinking") else ()
        )
        own = [value[n] for n in (*names, "reasoning_content", "thinking") if isinstance(value.get(n), str)]
        return "".join(dict.fromkeys(own)) + "".join(reasoning_of(v) for v in value.values() if not isinstance(v, str))
    return "".join(map(reasoning_of, value)) if isinstance(value, list) else ""


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("stream", [True, False])
def test_every_dialect_is_guarded(served, path, stream):
    url, _ = served
    got = post(url + path, {**ASKED[path], "stream": stream})
    assert got.status == 200
    events = got.events if b"data: " in got.content else [orjson.loads(line) for line in got.content.splitlines()]
    shown = reasoning_of(events)
    assert GUARDED in shown
    assert not any(removed in shown for removed in REMOVED)


def test_a_stream_that_breaks_off_shows_nothing_that_was_held(served):
    url, _ = served
    body = {**ASKED["/v1/chat/completions"], "model": "dying", "stream": True}
    with pytest.raises(IncompleteRead) as caught:
        post(url + "/v1/chat/completions", body)
    got = caught.value.partial
    assert b"180" in got
    assert b"Wait" not in got
    assert b'"error"' in got.splitlines()[-2]


@pytest.mark.parametrize(
    "path", ["/v1/completions", "/generate", "/tokenize", "/v1/chat/completions/", "/v1//messages", "/"]
)
def test_all_other_routes_are_not_there(served, path):
    url, app = served
    before = len(app.bodies)
    got = post(url + path, {"prompt": "x"})
    assert (got.status, len(app.bodies)) == (404, before)


def test_open_routes_pass(served):
    url, _ = served
    with urllib.request.urlopen(f"{url}/v1/models") as got:
        assert orjson.loads(got.read())["path"] == "/v1/models"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{url}/v1/messages")
    assert caught.value.code == 404


def test_policies_decide(served):
    url, _ = served
    got = post(url + "/v1/chat/completions", {**ASKED["/v1/chat/completions"], "model": "original"})
    assert got.json["choices"][0]["message"]["reasoning_content"] == REASONING


def test_originals_come_back(served):
    url, app = served
    message = post(url + "/v1/chat/completions", ASKED["/v1/chat/completions"]).json["choices"][0]["message"]
    assert message["reasoning_content"] == GUARDED
    second = [*MESSAGES, message, {"role": "user", "content": "Go on."}]
    post(url + "/v1/chat/completions", {"model": "demo", "messages": second})
    assert app.bodies[-1]["messages"][1]["reasoning_content"] == REASONING


def test_side_channels_are_closed(served):
    url, app = served
    post(url + "/v1/chat/completions", {**ASKED["/v1/chat/completions"], "logprobs": True, "return_token_ids": True})
    assert app.bodies[-1].keys() == {"model", "messages"}
    assert app.headers[-1]["accept-encoding"] == "identity"
    bad = post(url + "/v1/chat/completions", {**ASKED["/v1/chat/completions"], "model": "bad"})
    assert (bad.status, "12" in bad.text) == (500, False)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**ASKED["/v1/chat/completions"], "model": "packed"}, 502),
        ({"model": "demo", "messages": [{"role": "user", "content": "x" * 100_001}]}, 413),
        ([1], 400),
        ({"model": "demo", "messages": [{"role": "assistant", "content": "<think>"}]}, 400),
    ],
)
def test_what_cannot_be_guarded_is_refused(served, body, status):
    url, _ = served
    assert post(url + "/v1/chat/completions", body).status == status


def test_a_wrong_policy_is_an_error_at_the_start():
    with pytest.raises(UnknownName, match="did you mean 'default'"):
        GuardMiddleware(App(), sections={"defalt": {}})
