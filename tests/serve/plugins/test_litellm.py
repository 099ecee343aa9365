"""The guardrail in a real LiteLLM proxy: every route and kind of stream, second turns, and nothing unguarded."""

import copy
import re

import pytest
from tests.serve.plugins.conftest import REASONING, REMOVED, TRACE, post

import antidistill as ad

GUARDED = ad.guard(TRACE, ad.defense("traceguard")).reasoning
MESSAGES = [{"role": "user", "content": TRACE.prompt}]


def clean(answer):
    assert answer.status == 200, answer.text
    events = answer.events
    shown = [answer.text, *(delta(events, name) for name in ("content", "reasoning_content", "reasoning"))]
    shown += [joined(events, "delta"), joined(events, "delta", "thinking"), joined(events, "delta", "text")]
    for removed in REMOVED:
        assert not any(removed in text for text in shown)
    return answer


def joined(events, *path):
    """The text at a path of keys, over all events that have it."""
    out = []
    for value in events:
        for key in path:
            value = (
                value.get(key) if isinstance(value, dict) else value[key : key + 1] if isinstance(value, list) else None
            )
            value = value[0] if isinstance(value, list) and len(value) == 1 and isinstance(key, int) else value
        out.append(value if isinstance(value, str) else "")
    return "".join(out)


def delta(events, name):
    return "".join(
        choice["delta"].get(name) or "" for event in events for choice in event.get("choices", []) if "delta" in choice
    )


def chat(model, stream, messages=None, **more):
    return {"model": model, "stream": stream, "messages": messages or MESSAGES, **more}


@pytest.mark.parametrize("model", ["vllm", "openai", "claude"])
def test_a_chat_that_streams(litellm, model):
    answer = clean(post(f"{litellm.url}/v1/chat/completions", chat(model, True)))
    assert delta(answer.events, "reasoning_content") == GUARDED
    assert delta(answer.events, "content") == TRACE.answer
    assert answer.text.rstrip().endswith("data: [DONE]")
    assert len([e for e in answer.events if delta([e], "reasoning_content")]) > 3  # not buffered as one block


@pytest.mark.parametrize("model", ["vllm", "openai", "claude"])
def test_a_chat_that_does_not_stream(litellm, model):
    message = clean(post(f"{litellm.url}/v1/chat/completions", chat(model, False))).json["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == (GUARDED, TRACE.answer)


@pytest.mark.parametrize("stream", [True, False])
def test_think_tags_in_the_content(litellm, stream):
    answer = clean(post(f"{litellm.url}/v1/chat/completions", chat("tags", stream)))
    events = answer.events if stream else []
    message = {} if stream else answer.json["choices"][0]["message"]
    reasoning = delta(events, "reasoning_content") if stream else message.get("reasoning_content")
    content = delta(events, "content") if stream else message["content"]
    assert GUARDED.strip() in (reasoning or "") + content
    assert content.endswith(TRACE.answer)


@pytest.mark.parametrize("model", ["vllm", "claude"])
def test_the_messages_route_streams_guarded_bytes(litellm, model):
    answer = clean(post(f"{litellm.url}/v1/messages", chat(model, True, max_tokens=100)))
    assert joined(answer.events, "delta", "thinking") == GUARDED
    assert joined(answer.events, "delta", "text") == TRACE.answer


@pytest.mark.parametrize("model", ["vllm", "claude"])
def test_the_messages_route_as_a_whole(litellm, model):
    blocks = clean(post(f"{litellm.url}/v1/messages", chat(model, False, max_tokens=100))).json["content"]
    assert [block["thinking"] for block in blocks if block["type"] == "thinking"] == [GUARDED]
    assert [block["text"] for block in blocks if block["type"] == "text"] == [TRACE.answer]


@pytest.mark.parametrize("model", ["claude", "openai", "vllm"])
@pytest.mark.parametrize("stream", [True, False])
def test_the_responses_route(litellm, model, stream):
    answer = clean(post(f"{litellm.url}/v1/responses", {"model": model, "stream": stream, "input": TRACE.prompt}))
    if stream:
        events = answer.events
        reasoning = [
            e for e in events if e["type"] in {"response.reasoning_text.delta", "response.reasoning_summary_text.delta"}
        ]
        assert joined(reasoning, "delta") == GUARDED
        assert joined([e for e in events if e["type"] == "response.output_text.delta"], "delta") == TRACE.answer
        (final,) = [e["response"] for e in events if e["type"] == "response.completed"]
    else:
        final = answer.json
    texts = [part["text"] for item in final["output"] for part in (item.get("content") or item.get("summary") or [])]
    assert texts == [GUARDED, TRACE.answer]


@pytest.mark.parametrize(
    ("path", "model"), [("vllm/v1/chat/completions", "vllm"), ("engine/v1/chat/completions", "demo")]
)
@pytest.mark.parametrize("stream", [True, False])
def test_routes_that_are_passed_through_are_refused(litellm, engine, path, model, stream):
    before = len(engine.asked)
    answer = post(f"{litellm.url}/{path}", chat(model, stream))
    assert len(engine.asked) == before
    assert answer.status >= 400
    assert "reasoning" not in answer.text.replace("reasoning on", "")


def test_raw_completions_are_refused(litellm):
    answer = post(f"{litellm.url}/v1/completions", {"model": "openai", "prompt": TRACE.prompt})
    assert answer.status >= 400
    assert REMOVED[0] not in answer.text


@pytest.mark.parametrize("stream", [True, False])
def test_the_policy_decides(litellm, stream):
    assert (
        REMOVED[0] in post(f"{litellm.url}/v1/chat/completions", chat("original", stream)).text.replace('"}}', "")
        or stream
    )
    answer = post(f"{litellm.url}/v1/chat/completions", chat("original", stream))
    whole = (
        delta(answer.events, "reasoning_content")
        if stream
        else answer.json["choices"][0]["message"]["reasoning_content"]
    )
    assert whole == REASONING


@pytest.mark.parametrize("keep", ["text", "everything"])
def test_the_engine_gets_the_original_back_in_the_next_turn(litellm, engine, keep):
    message = post(f"{litellm.url}/v1/chat/completions", chat("openai", False)).json["choices"][0]["message"]
    if keep == "text":
        message = {name: message[name] for name in ("role", "content", "reasoning_content")}
    second = [*MESSAGES, message, {"role": "user", "content": "And 12 * 16?"}]
    clean(post(f"{litellm.url}/v1/chat/completions", chat("openai", True, copy.deepcopy(second))))
    asked = engine.asked[-1][1]["messages"]
    assert asked[1]["reasoning_content"] == REASONING
    assert "reasoning.encrypted" not in str(asked)


def test_streams_carry_the_token_and_it_comes_back(litellm, engine):
    events = post(f"{litellm.url}/v1/chat/completions", chat("openai", True)).events
    (token,) = [
        detail["data"]
        for event in events
        for choice in event["choices"]
        for detail in choice["delta"].get("reasoning_details") or []
    ]
    earlier = {
        "role": "assistant",
        "content": TRACE.answer,
        "reasoning_details": [{"type": "reasoning.encrypted", "data": token}],
    }
    clean(post(f"{litellm.url}/v1/chat/completions", chat("openai", False, [*MESSAGES, earlier, MESSAGES[0]])))
    assert engine.asked[-1][1]["messages"][1]["reasoning_content"] == REASONING


def test_side_channels_of_a_request_are_closed(litellm, engine):
    tricks = {
        "logprobs": True,
        "top_logprobs": 3,
        "extra_body": {"return_token_ids": True, "echo": True},
        "temperature": 0.5,
    }
    clean(post(f"{litellm.url}/v1/chat/completions", chat("openai", False, **tricks)))
    asked = engine.asked[-1][1]
    assert not {"logprobs", "top_logprobs", "return_token_ids", "echo"} & asked.keys()
    assert asked["temperature"] == 0.5
    prefill = [*MESSAGES, {"role": "assistant", "content": "<think>Repeat"}]
    assert post(f"{litellm.url}/v1/chat/completions", chat("openai", False, prefill)).status == 400


def test_no_removed_text_stands_in_the_log(litellm):
    """At the usual level; with LITELLM_LOG=DEBUG LiteLLM shows the engine's answers before any hook, as docs/plugins.md says."""
    text = litellm.log.read_text()
    assert "antidistill" in text
    assert not re.search("|".join(map(re.escape, REMOVED)), text)
