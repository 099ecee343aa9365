"""Several choices at once, tool calls, interleaved thinking, tokens for the next turn, third parties."""

import json
import random

import pytest
from tests.serve.replay import context, events, guarded, payloads, read, run, shuffled

from antidistill.serve.demo import responses, scripts
from antidistill.serve.demo.engine import bundled_traces
from antidistill.serve.dialects.table import DIALECTS
from antidistill.serve.guard.parts import Remember, joined
from antidistill.serve.wire import sse
from antidistill.trace import Trace

CHAT = "/v1/chat/completions"


def chunk(delta, index=0, finish=None, **more):
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "1", "model": "m", "choices": [choice], **more}).encode() + b"\n\n"


@pytest.mark.parametrize("style", scripts.STYLES)
def test_interleaved_choices_do_not_mix(style):
    traces = bundled_traces()[:3]
    queues = [list(scripts.chat(t.reasoning, t.answer, style, index=i)) for i, t in enumerate(traces)]
    rng = random.Random(3)
    data = []
    while any(queues):
        data.append(rng.choice([queue for queue in queues if queue]).pop(0))
    out = run(CHAT, context("p"), [*data, scripts.DONE])
    for index, trace in enumerate(traces):
        own = [o for o in payloads(out) if o["choices"][0]["index"] == index]
        said = read(CHAT, style, b"".join(b"data: " + json.dumps(o).encode() + b"\n\n" for o in own))
        assert set(said.reasoning) == {guarded(Trace("", "p", trace.reasoning, ""), context("p"))}
        assert said.answer == trace.answer


def test_one_event_may_hold_several_choices():
    texts = ["Wait, is it? So it is 4. ", "It is 5. Hmm, no. "]
    data = [
        {
            "choices": [
                {"index": i, "delta": {"reasoning": text}, "finish_reason": None} for i, text in enumerate(texts)
            ]
        },
        {"choices": [{"index": i, "delta": {"content": str(i)}, "finish_reason": "stop"} for i in range(2)]},
    ]
    out = run(CHAT, context(k=9), [b"data: " + json.dumps(one).encode() + b"\n\n" for one in data])
    assert b"Wait" not in out
    for index, text in enumerate(texts):
        deltas = [c["delta"] for o in payloads(out) for c in o["choices"] if c["index"] == index]
        assert "".join(d.get("reasoning") or "" for d in deltas) == guarded(Trace("", "p", text, ""), context(k=9))
        assert "".join(d.get("content") or "" for d in deltas) == str(index)


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_tool_calls_stay_and_held_text_leaves_before_them(field):
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1.0}'}}
    data = [
        chunk({field: "So it is 4. Wai"}),
        chunk({"tool_calls": [call]}),
        chunk({field: "Then more. Hmm"}),
        chunk({"content": "Four."}, finish="tool_calls"),
        scripts.DONE,
    ]
    out = run(CHAT, context(), data)
    assert out.find(b"Wai") < out.find(b"tool_calls") < out.find(b"Then more.") < out.find(b"Four.")
    assert data[1] in out


def test_a_tool_call_in_the_same_event_as_reasoning():
    call = [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    out = payloads(
        run(CHAT, context(), [chunk({"reasoning": "So it is 4. Wai", "tool_calls": call}), chunk({}, finish="stop")])
    )
    assert out[0]["choices"][0]["delta"] == {"reasoning": "So it is 4. Wai", "tool_calls": call}


def test_interleaved_thinking_blocks():
    blocks = [
        ("thinking", "Wait, a. So b. It is c."),
        ("tool_use", '{"q": 1}'),
        ("thinking", "Hmm, d. So e. Fine."),
        ("text", "Done."),
    ]
    out = run("/v1/messages", context(), list(scripts.messages(blocks)))
    told = [one for one in payloads(out) if one["type"] == "content_block_delta"]
    for index, (kind, text) in enumerate(blocks):
        own = "".join(
            one["delta"].get("thinking", one["delta"].get("text", one["delta"].get("partial_json", "")))
            for one in told
            if one["index"] == index
        )
        assert own == (guarded(Trace("", "p", text, ""), context()) if kind == "thinking" else text)


@pytest.mark.parametrize(
    ("route", "where"),
    [
        (
            CHAT,
            lambda o: [d["data"] for c in o["choices"] for d in c["delta"].get("reasoning_details", ()) if "data" in d],
        ),
        ("/v1/messages", lambda o: [o["delta"]["signature"]] if "signature" in o.get("delta", {}) else []),
        (
            "/v1/responses",
            lambda o: [o["item"]["encrypted_content"]] if "encrypted_content" in o.get("item", {}) else [],
        ),
    ],
)
def test_originals_are_kept_once_and_tokens_go_to_the_client(route, where):
    trace = bundled_traces()[0]
    own = context(trace.prompt)
    stream = DIALECTS[route].stream(own)
    parts = stream.feed(b"".join(events(route, "both" if route == CHAT else "", trace))) + stream.finish()
    remembers = [part for part in parts if isinstance(part, Remember)]
    assert [(r.original, r.guarded) for r in remembers] == [(trace.reasoning, guarded(trace, own))]
    out = b"".join(p.render("TOKEN") if isinstance(p, Remember) else joined([p]) for p in parts)
    assert [token for one in payloads(out) for token in where(one)] == ["TOKEN"]
    if route == "/v1/responses":
        assert payloads(out)[-1]["response"]["output"][0]["encrypted_content"] == "TOKEN"


SEAL = "EqQBCkgIARABGAIiQL" + "aB3+/" * 20 + "=="


def test_signed_thinking_of_a_third_party_stays_byte_for_byte():
    data = b"".join(scripts.messages([("thinking", "Wait, a. So b. It is c."), ("text", "Done.")]))
    foreign = data.replace(b'"model":"demo"', b'"model":"claude-opus-4-6"').replace(
        scripts.SIGNATURE.encode(), SEAL.encode()
    )
    for seed in range(5):
        assert run("/v1/messages", context(), shuffled(foreign, seed)) == foreign


def test_the_name_of_a_third_party_alone_is_no_seal():
    data = b"".join(scripts.messages([("thinking", "Wait, a. So b. It is c."), ("text", "Done.")]))
    alias = data.replace(b'"model":"demo"', b'"model":"claude-opus-4-6"')
    assert b"Wait" not in run("/v1/messages", context(), [alias])
    sealed = data.replace(scripts.SIGNATURE.encode(), SEAL.encode())
    out = run("/v1/messages", context(), [sealed])
    assert b"Wait" not in out
    assert SEAL.encode() not in out


def sealed_by_openai(seal):
    for event in responses.stream("Wait, a. So b. It is c.", "Done.", summary=True):
        made = payloads(event)[0]
        items = [made.get("item"), *made.get("response", {}).get("output", [])]
        for item in items:
            if item and item["type"] == "reasoning" and item["status"] == "completed":
                item["encrypted_content"] = seal
        if "response" in made:
            made["response"]["model"] = "gpt-5.2"
        yield sse.encode(json.dumps(made).encode(), made["type"])


def test_signed_items_of_openai_stay():
    data = b"".join(sealed_by_openai(SEAL))
    for seed in range(3):
        assert run("/v1/responses", context(), shuffled(data, seed)) == data
    assert b"Wait" not in run("/v1/responses", context(), list(sealed_by_openai("short")))


def test_signed_details_of_openrouter_stay():
    detail = {
        "type": "reasoning.text",
        "text": "Wait, no. So b.",
        "format": "anthropic-claude-v1",
        "signature": SEAL,
        "index": 0,
    }
    data = [
        chunk({"role": "assistant", "content": "", "reasoning": "Wait, no. So b.", "reasoning_details": [detail]}),
        chunk({"content": "4"}, finish="stop"),
        scripts.DONE,
    ]
    assert run(CHAT, context(), data) == b"".join(data)


def test_content_may_be_a_list():
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Wait, no. So b. Fine."}]},
        {"type": "text", "text": "Done."},
    ]
    out = run(CHAT, context(k=3), [chunk({"content": parts[:1]}), chunk({"content": parts[1:]}, finish="stop")])
    assert b"Wait" not in out
    assert b"So b." in out
    assert b"Done." in out
