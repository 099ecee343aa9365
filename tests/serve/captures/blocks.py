"""Messages, Responses and Ollama's lines."""

from __future__ import annotations

from typing import Any

from tests.serve.captures.texts import ANSWER, CUT, REASONING

from antidistill.serve.demo.scripts import words


def messages(model: str = "qwen3-32b", signature: str = "9f2c4b7a1d3e4f5a8b6c7d8e9f0a1b2c") -> list[Any]:
    """Thinking, a call of a tool, and thinking again."""
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [], "stop_reason": None}
    events: list[Any] = [
        {"type": "message_start", "message": {**head, "usage": {"input_tokens": 21, "output_tokens": 1}}},
        {"type": "ping"},
    ]
    blocks: list[tuple[dict[str, Any], str, str, str]] = [
        ({"type": "thinking", "thinking": "", "signature": ""}, "thinking_delta", "thinking", REASONING),
        (
            {"type": "tool_use", "id": "toolu_1", "name": "sum", "input": {}},
            "input_json_delta",
            "partial_json",
            '{"a": 56, "b": 4}',
        ),
        ({"type": "thinking", "thinking": "", "signature": ""}, "thinking_delta", "thinking", f"Now. {CUT} Done."),
        ({"type": "text", "text": ""}, "text_delta", "text", ANSWER),
    ]
    for index, (block, kind, key, text) in enumerate(blocks):
        at = {"index": index}
        events.append({"type": "content_block_start", **at, "content_block": block})
        events += [{"type": "content_block_delta", **at, "delta": {"type": kind, key: word}} for word in words(text)]
        if key == "thinking":
            events.append(
                {"type": "content_block_delta", **at, "delta": {"type": "signature_delta", "signature": signature}}
            )
        events.append({"type": "content_block_stop", **at})
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    return [*events, {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 52}}, {"type": "message_stop"}]


def messages_body() -> dict[str, Any]:
    content = [
        {"type": "thinking", "thinking": REASONING, "signature": "9f2c4b7a1d3e4f5a8b6c7d8e9f0a1b2c"},
        {"type": "text", "text": ANSWER},
    ]
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "qwen3-32b", "content": content}
    return {
        **head,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 21, "output_tokens": 52},
    }


def items(place: str) -> list[dict[str, Any]]:
    kind = "reasoning_text" if place == "content" else "summary_text"
    reasoning = {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [],
        place: [{"type": kind, "text": REASONING}],
        "status": "completed",
    }
    part = {"type": "output_text", "text": ANSWER, "annotations": []}
    return [
        reasoning,
        {"id": "msg_1", "type": "message", "role": "assistant", "content": [part], "status": "completed"},
    ]


def response(output: list[Any], status: str = "completed") -> dict[str, Any]:
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 40}}
    usage = {"input_tokens": 21, "output_tokens": 52, "total_tokens": 73, **details}
    head = {"id": "resp_1", "object": "response", "created_at": 1763970000, "model": "gpt-oss-20b", "status": status}
    return {**head, "output": output, "usage": usage if output else None, "error": None}


def responses(place: str) -> list[Any]:
    name, kind, index = ("reasoning_text", "reasoning_text", "content_index") if place == "content" else (
        "reasoning_summary_text", "summary_text", "summary_index")  # fmt: skip
    part = "content_part" if place == "content" else "reasoning_summary_part"
    reasoning, message = items(place)
    at = {"item_id": "rs_1", "output_index": 0, index: 0}
    there = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response([], "in_progress")},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**reasoning, place: [], "status": "in_progress"},
        },
        {"type": f"response.{part}.added", **at, "part": {"type": kind, "text": ""}},
        *({"type": f"response.{name}.delta", **at, "delta": word} for word in words(REASONING)),
        {"type": f"response.{name}.done", **at, "text": REASONING},
        {"type": f"response.{part}.done", **at, "part": {"type": kind, "text": REASONING}},
        {"type": "response.output_item.done", "output_index": 0, "item": reasoning},
        {
            "type": "response.output_item.added",
            "output_index": 1,
            "item": {**message, "content": [], "status": "in_progress"},
        },
        {"type": "response.content_part.added", **there, "part": {**message["content"][0], "text": ""}},
        *({"type": "response.output_text.delta", **there, "delta": word, "logprobs": []} for word in words(ANSWER)),
        {"type": "response.output_text.done", **there, "text": ANSWER, "logprobs": []},
        {"type": "response.content_part.done", **there, "part": message["content"][0]},
        {"type": "response.output_item.done", "output_index": 1, "item": message},
        {"type": "response.completed", "response": response([reasoning, message])},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


OLLAMA = {"model": "qwen3", "created_at": "2026-11-24T08:00:00.123Z"}
OLLAMA_END = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 9,
    "prompt_eval_count": 21,
    "eval_count": 52,
    "context": [1, 2],
}


def ollama() -> list[Any]:
    said = [{"content": "", "thinking": word} for word in words(REASONING)] + [
        {"content": word} for word in words(ANSWER)
    ]
    lines = [{**OLLAMA, "message": {"role": "assistant", **one}, "done": False} for one in said]
    return [*lines, {**OLLAMA, "message": {"role": "assistant", "content": ""}, **OLLAMA_END}]
