"""The removed text in place of every single value of every kind of event, and beside it: none of it may leave."""

import copy
import json
from functools import partial

import pytest
from tests.serve.replay import CASES, context, events, payloads, run
from tests.serve.side_channels.test_planted import assert_clean

from antidistill.serve.dialects.table import DIALECTS
from antidistill.serve.policies import Usage
from antidistill.serve.side_channels.echoes import Echoes
from antidistill.serve.wire.tree import dumps
from antidistill.trace import Trace

TRACE = Trace("1", "p", "So x = 3. Then 4. Done.", "Four is it.")
SECRETS = ("Wait, no way.", "Hmm: 2+2=5?", "Wait, the secret step is wrong.", "Hmm.", "等等，这个步骤是错的。")
TEXTS = (
    "content",
    "delta",
    "text",
    "refusal",
    "tool_calls",
    "annotations",
    "reasoning",
    "reasoning_content",
    "thinking",
)
"""Members that are reasoning or answer: there the text is guarded as a text, or is the engine's answer."""


def places(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in TEXTS or isinstance(inner, (dict, list)):
                yield (*path, key)
                yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*path, number))


def planted(event, path, secret):
    """The event with the text at a place, and in a new member beside it, as a string, in a list, and in an object."""
    for value in (secret, [secret], {"raw": secret}):
        for key in ("raw", *path[-1:]):
            copied = copy.deepcopy(event)
            parent = copied
            for step in path[:-1]:
                parent = parent[step]
            if isinstance(parent, dict):
                parent[key] = value
                yield copied


def framed(route, event):
    data = json.dumps(event, ensure_ascii=False).encode()
    return data + b"\n" if route == "/api/chat" else b"data: " + data + b"\n\n"


@pytest.mark.parametrize(("route", "style"), CASES)
def test_no_single_value_of_an_event_carries_text(route, style):
    own = context("p", usage=Usage.VISIBLE)
    sent = [one for event in events(route, style, TRACE) for one in payloads(event)]
    kinds = {json.dumps(sorted(map(str, places(one)))): number for number, one in enumerate(sent)}
    done = [b"data: [DONE]\n\n"] if route == "/v1/chat/completions" else []
    for number in kinds.values():
        for path in places(sent[number]):
            for secret in SECRETS:
                for event in planted(sent[number], path, secret):
                    data = [framed(route, one) for one in (*sent[:number], event, *sent[number + 1 :])]
                    out = run(route, own, [*data, *done]).decode()
                    assert secret not in out, path
                    assert json.dumps(secret)[1:-1] not in out, path


@pytest.mark.parametrize("secret", ["Wait, no.", "Wait,\tthat secret step", "Wait, that secret step is wrong."])
@pytest.mark.parametrize("line", [": %s", "id: %s", "event: %s", "retry: %s", "data\u00a0: %s"])
def test_no_line_of_an_event_carries_text(line, secret):
    event = 'data: {"choices":[{"index":0,"delta":{"content":"4"},"finish_reason":"stop"}]}\n\n'
    out = run("/v1/chat/completions", context(), [(line % secret + "\n" + event).encode()]).decode()
    assert secret not in out
    assert '"content":"4"' in out


@pytest.mark.parametrize(
    "comment", [": OPENROUTER PROCESSING", ":", ": ping", ":keep-alive", ": ping - 2026-11-24 08:00:00.123456+00:00"]
)
def test_comments_that_keep_a_connection_open_leave(comment):
    data = f"{comment}\n\n".encode()
    assert run("/v1/chat/completions", context(), [data, b"data: [DONE]\n\n"]).startswith(data)


def test_a_comment_with_text_still_keeps_the_connection_open():
    assert run("/v1/chat/completions", context(), [b": Wait, no.\n\n", b"data: [DONE]\n\n"]).startswith(b":\n\n")


@pytest.mark.parametrize("seal", [["Wait, that secret step"], {"x": "Wait, that secret step"}])
def test_a_seal_that_is_no_string_does_not_leave(seal):
    block = {"type": "thinking", "thinking": "So.", "signature": seal}
    chat = {"choices": [{"index": 0, "delta": {"thinking_blocks": [block]}}]}
    assert_clean(run("/v1/chat/completions", context(), [framed("", chat), b"data: [DONE]\n\n"]))
    for event in (
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": seal}},
    ):
        assert_clean(run("/v1/messages", context(), [framed("", event), framed("", {"type": "message_stop"})]))
    body = dumps({"id": "1", "type": "message", "content": [block]})
    assert_clean(DIALECTS["/v1/messages"].whole(context(), body).render())


ASKED = {"instructions": "Be kind, and short.", "metadata": {"who": "me, of course"}, "model": "my own model"}


def test_a_response_repeats_the_request_and_nothing_else():
    own = context()
    object.__setattr__(own, "echoes", Echoes({**ASKED, "input": "Wait, an original of an earlier turn."}))
    told = {**ASKED, "tool_choice": "auto", "text": {"format": {"type": "text"}}, "output": []}
    planted = {**told, "metadata": {"who": "Wait, an original of an earlier turn."}, "instructions": ["Wait, no."]}
    for response, kept in ((told, told), (planted, told.keys() - {"metadata", "instructions"})):
        event = {"type": "response.created", "sequence_number": 0, "response": response}
        last = {"type": "response.completed", "sequence_number": 1, "response": {"output": []}}
        first = payloads(run("/v1/responses", own, [framed("", event), framed("", last)]))[0]["response"]
        assert set(first) == set(kept)
        whole = DIALECTS["/v1/responses"].whole(own, json.dumps(response).encode()).render()
        assert set(json.loads(whole)) == set(kept)


def test_counts_of_a_running_response_do_not_leave():
    events = [
        {"type": "response.in_progress", "response": {"output": [], "usage": {"output_tokens": 7, "x": "Wait, no."}}},
        {"type": "response.completed", "response": {"output": [], "usage": {"output_tokens": 9}}},
    ]
    data = [framed("", {**event, "sequence_number": n}) for n, event in enumerate(events)]
    told = [one["response"]["usage"] for one in payloads(run("/v1/responses", context(usage=Usage.VISIBLE), data))]
    assert told == [None, {"output_tokens": 9}]


@pytest.mark.parametrize("place", [[], {}, "x", 1.5, None, True])
def test_places_of_any_kind_break_nothing(place):
    item = {"id": "r", "type": "reasoning", "content": [{"type": "reasoning_text", "text": "So."}], "summary": []}
    events = [
        {"type": "response.output_item.added", "output_index": place, "item": item},
        {"type": "response.reasoning_text.delta", "output_index": place, "content_index": place, "delta": "So."},
        {"type": "response.completed", "sequence_number": place, "response": {"output": [item]}},
    ]
    assert b"So." in run("/v1/responses", context(), [framed("", event) for event in events])


@pytest.mark.parametrize("end", ["", " Wait, but"])
def test_the_tail_of_thinking_chunks_leaves_as_one_of_them(end):
    texts = ("First a step. ", "Wait, that secret step is wrong. ", f"Then 4.{end}")
    deltas = [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]} for text in texts]
    deltas.append({"content": [{"type": "text", "text": "Four"}, {"type": "reference", "reference_ids": [1]}]})
    chunks = [{"id": "1", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    out = payloads(run("/v1/chat/completions", context(k=1), [*map(partial(framed, ""), chunks), b"data: [DONE]\n\n"]))
    items = [item for one in out for item in one["choices"][0]["delta"].get("content") or ()]
    thought = "".join(part["text"] for item in items if item["type"] == "thinking" for part in item["thinking"])
    assert thought == f"First a step. Then 4.{end}"
    assert [item for item in items if item["type"] != "thinking"] == deltas[-1]["content"]
    assert not any("reasoning_details" in one["choices"][0]["delta"] for one in out)
