"""The removed text, planted in every place of a response where engines are known to put it. None of it may leave."""

import json

import pytest
from tests.serve.replay import context, payloads, run

from antidistill.serve.dialects.table import DIALECTS
from antidistill.serve.policies import Usage

CHAT = "/v1/chat/completions"
SECRET = "Wait, that secret step is wrong."
REASONING = f"First a step. {SECRET} Then the rest."
LOGPROBS = {
    "content": [{"token": SECRET, "bytes": [87], "logprob": -0.1, "top_logprobs": [{"token": SECRET, "logprob": -1}]}]
}
IDS = [int(number) for number in SECRET.encode()]
PLACES = {
    "logprobs": {"choice": {"logprobs": LOGPROBS}},
    "deepseek's logprobs": {"choice": {"logprobs": {"reasoning_content": LOGPROBS["content"]}}},
    "choice token_ids": {"choice": {"token_ids": IDS}},
    "stop_reason": {"choice": {"stop_reason": SECRET}},
    "matched_stop": {"choice": {"matched_stop": SECRET}},
    "hidden_states": {"choice": {"hidden_states": [SECRET]}},
    "routed_experts": {"choice": {"routed_experts": SECRET}},
    "meta_info": {"choice": {"meta_info": {"text": SECRET}}},
    "text": {"choice": {"text": SECRET}},
    "finish_reason": {"choice": {"finish_reason": f"{SECRET} and so on, and so on, and so on, and so on, and so on"}},
    "prompt_token_ids": {"top": {"prompt_token_ids": IDS}},
    "prompt_text": {"top": {"prompt_text": SECRET}},
    "prompt_logprobs": {"top": {"prompt_logprobs": [SECRET]}},
    "sglext": {"top": {"sglext": {"output_ids": IDS, "x": SECRET}}},
    "timings": {"top": {"timings": {"predicted_n": 99, "x": SECRET}}},
    "__verbose": {"top": {"__verbose": {"content": SECRET}}},
    "metadata": {"top": {"metadata": {"x": SECRET}}},
    "kv_transfer_params": {"top": {"kv_transfer_params": {"x": SECRET}}},
    "model": {"top": {"model": {"name": SECRET}}},
    "system_fingerprint": {"top": {"system_fingerprint": SECRET * 20}},
    "usage": {"top": {"usage": {"completion_tokens": 3, "text": SECRET, "details": {"x": [SECRET]}}}},
    "unknown reasoning field": {"message": {"thoughts": SECRET}},
    "provider_specific_fields": {"message": {"provider_specific_fields": {"reasoning": SECRET}}},
    "hidden field": {"message": {"_reasoning_raw": SECRET}},
    "reasoning as an object": {"message": {"reasoning": {"text": SECRET}}},
    "details of an unknown type": {"message": {"reasoning_details": [{"type": "reasoning.raw", "text": SECRET}]}},
    "details, unknown field": {
        "message": {"reasoning_details": [{"type": "reasoning.text", "text": "", "raw": SECRET}]}
    },
    "encrypted details that are not": {
        "message": {"reasoning_details": [{"type": "reasoning.encrypted", "data": SECRET}]}
    },
    "signature": {"message": {"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": SECRET}]}},
    "role": {"message": {"role": f"{SECRET}{SECRET}{SECRET}"}},
}


def made(place, key):
    planted = PLACES[place]
    message = {"reasoning": REASONING, **planted.get("message", {})} if key == "message" else planted.get("message", {})
    choice = {"index": 0, key: message, **planted.get("choice", {})}
    return {"id": "1", "choices": [choice], **planted.get("top", {})}


def assert_clean(data):
    text = data.decode()
    assert SECRET not in text
    assert "secret step" not in text
    assert str(IDS)[1:40].replace(" ", "") not in text.replace(" ", "")


@pytest.mark.parametrize("place", PLACES)
def test_nothing_planted_leaves_a_stream(place):
    first = {"id": "1", "choices": [{"index": 0, "delta": {"reasoning": REASONING}, "finish_reason": None}]}
    last = {"id": "1", "choices": [{"index": 0, "delta": {"content": "4"}, "finish_reason": "stop"}]}
    data = [
        b"data: " + json.dumps(one).encode() + b"\n\n"
        for one in (first, made(place, "delta"), last, made(place, "delta"))
    ]
    assert_clean(run(CHAT, context(), [*data, b"data: [DONE]\n\n"]))


@pytest.mark.parametrize("place", PLACES)
def test_nothing_planted_leaves_a_body(place):
    assert_clean(DIALECTS[CHAT].whole(context(), json.dumps(made(place, "message")).encode()).render())


def test_an_answer_stays_whole_beside_planted_text():
    body = {
        "choices": [
            {"index": 0, "message": {"content": "Four.", "reasoning": REASONING, "x": SECRET}, "logprobs": LOGPROBS}
        ]
    }
    out = json.loads(DIALECTS[CHAT].whole(context(), json.dumps(body).encode()).render())
    assert out["choices"][0]["message"]["content"] == "Four."
    assert out["choices"][0]["logprobs"] is None


def test_a_name_that_stands_twice_hides_nothing():
    data = f'data: {{"choices":[{{"index":0,"delta":{{"reasoning":"{SECRET}","reasoning":"So."}}}}]}}\n\n'.encode()
    assert_clean(run(CHAT, context(), [data, b"data: [DONE]\n\n"]))
    escaped = f'data: {{"choices":[{{"index":0,"delta":{{"reas\\u006fning":"{REASONING}"}}}}]}}\n\n'.encode()
    assert_clean(run(CHAT, context(), [escaped, b"data: [DONE]\n\n"]))


@pytest.mark.parametrize(
    "lines",
    [
        b"x-reasoning: %b\n",
        b": %b, and more of it, and more of it, and more of it\n",
        b"raw %b\n",
        b"id: %b" + b" x" * 90 + b"\n",
    ],
)
def test_lines_of_an_event_that_hold_text_are_left_out(lines):
    data = (
        lines % SECRET.encode()
    ) + b'data: {"choices":[{"index":0,"delta":{"content":"4"},"finish_reason":"stop"}]}\n\n'
    out = run(CHAT, context(), [data])
    assert_clean(out)
    assert b'"content":"4"' in out


MESSAGES = {
    "unknown event": {"type": "thinking_raw", "text": SECRET},
    "unknown block": {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "raw_thinking", "thinking": SECRET},
    },
    "unknown delta": {"type": "content_block_delta", "index": 0, "delta": {"type": "raw_delta", "text": SECRET}},
    "extra field": {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "a", "raw": SECRET},
    },
    "signature": {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": SECRET}},
    "redacted": {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "redacted_thinking", "data": SECRET},
    },
    "start with text": {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "thinking", "thinking": REASONING},
    },
    "usage": {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 1, "x": SECRET * 3}},
    "message_start": {"type": "message_start", "message": {"content": [{"type": "thinking", "thinking": REASONING}]}},
    "ping": {"type": "ping", "text": SECRET},
}


@pytest.mark.parametrize("place", MESSAGES)
def test_nothing_planted_leaves_messages(place):
    event = MESSAGES[place]
    data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
    stop = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    assert_clean(run("/v1/messages", context(), [data, stop]))


def test_nothing_planted_leaves_a_message_body():
    blocks = [
        {"type": "thinking", "thinking": REASONING, "signature": SECRET, "raw": SECRET},
        {"type": "redacted_thinking", "data": SECRET},
        {"type": "raw", "text": SECRET},
        {"type": "text", "text": "4", "raw": SECRET},
    ]
    body = {"id": "1", "type": "message", "content": blocks, "raw": SECRET, "usage": {"x": SECRET * 3}}
    assert_clean(DIALECTS["/v1/messages"].whole(context(), json.dumps(body).encode()).render())


ITEM = {"id": "r", "type": "reasoning", "content": [{"type": "reasoning_text", "text": REASONING}], "summary": []}
RESPONSES = {
    "unknown event": {"type": "response.raw.delta", "delta": SECRET},
    "item": {"type": "response.output_item.done", "item": ITEM},
    "summary": {
        "type": "response.output_item.done",
        "item": {**ITEM, "summary": [{"type": "summary_text", "text": REASONING}]},
    },
    "encrypted": {"type": "response.output_item.done", "item": {**ITEM, "encrypted_content": SECRET}},
    "extra": {"type": "response.output_item.done", "item": {**ITEM, "raw": SECRET}},
    "part": {
        "type": "response.reasoning_part.done",
        "item_id": "r",
        "part": {"type": "reasoning_text", "text": REASONING},
    },
    "text done": {"type": "response.reasoning_text.done", "item_id": "r", "text": REASONING},
    "logprobs": {"type": "response.output_text.delta", "item_id": "m", "delta": "4", "logprobs": LOGPROBS["content"]},
    "input": {"type": "response.in_progress", "response": {"input": SECRET, "input_messages": [SECRET]}},
    "output_messages": {"type": "response.in_progress", "response": {"output_messages": [SECRET]}},
    "unknown item": {"type": "response.output_item.done", "item": {"type": "raw_reasoning", "text": SECRET}},
}


@pytest.mark.parametrize("place", RESPONSES)
def test_nothing_planted_leaves_responses(place):
    event = {**RESPONSES[place], "sequence_number": 0}
    last = {"type": "response.completed", "response": {"output": [ITEM], "raw": SECRET}, "sequence_number": 1}
    data = [b"data: " + json.dumps(one).encode() + b"\n\n" for one in (event, last)]
    assert_clean(run("/v1/responses", context(), data))
    body = {**event.get("response", {}), "output": [event.get("item", ITEM)], "raw": SECRET}
    assert_clean(DIALECTS["/v1/responses"].whole(context(), json.dumps(body).encode()).render())


def test_token_ids_and_durations_of_ollama_do_not_leave():
    lines = [
        {"message": {"thinking": REASONING, "content": "", "raw": SECRET}, "done": False},
        {"message": {"content": "4"}, "done": True, "context": IDS, "eval_duration": 12345, "logprobs": LOGPROBS},
    ]
    out = run("/api/chat", context(), [json.dumps(one).encode() + b"\n" for one in lines])
    assert_clean(out)
    assert b"12345" not in out


USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 100,
    "total_tokens": 105,
    "completion_tokens_details": {"reasoning_tokens": 80},
}


@pytest.mark.parametrize("mode", list(Usage))
def test_counts_say_what_the_policy_wants(mode):
    chunks = [
        {"choices": [{"index": 0, "delta": {"reasoning": REASONING}}], "usage": USAGE},
        {"choices": [{"index": 0, "delta": {"content": "Four."}, "finish_reason": "stop"}]},
        {"choices": [], "usage": USAGE},
    ]
    data = [b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks]
    told = [one.get("usage") for one in payloads(run(CHAT, context(usage=mode), [*data, b"data: [DONE]\n\n"]))]
    body = {"choices": [{"index": 0, "message": {"reasoning": REASONING, "content": "Four."}}], "usage": USAGE}
    told.append(json.loads(DIALECTS[CHAT].whole(context(usage=mode), json.dumps(body).encode()).render())["usage"])
    if mode is Usage.UPSTREAM:
        assert [one for one in told if one] == [USAGE] * 3
    elif mode is Usage.OMIT:
        assert [one for one in told if one] == [{"prompt_tokens": 5}] * 2
    else:
        visible = told[-1]
        share = 1 - (len(SECRET) + 1) / len(REASONING)
        assert told[-2] == visible
        assert visible["completion_tokens_details"]["reasoning_tokens"] == round(80 * share)
        assert visible["completion_tokens"] == 20 + round(80 * share)
        assert visible["total_tokens"] == 25 + round(80 * share)
        assert not any(told[:-2])  # counts of a running text would tell each cut
