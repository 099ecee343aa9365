"""Traces in the dialect of the Responses API: numbered events, and final objects that repeat the whole text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from antidistill.serve.demo.scripts import Cut, words
from antidistill.serve.wire import sse
from antidistill.serve.wire.tree import dumps

_REASONING, _MESSAGE = "rs_demo", "msg_demo"


def stream(reasoning: str, answer: str, cut: Cut = words, summary: bool = False) -> Iterator[bytes]:
    """A response as events.

    Args:
        reasoning: what is replayed.
        answer: what follows it.
        cut: cuts a text into deltas.
        summary: the reasoning stands in the summary, as hosted models have it.
    """
    for number, event in enumerate(_events(reasoning, answer, cut, summary)):
        yield sse.encode(dumps({**event, "sequence_number": number}), event["type"])


def _events(reasoning: str, answer: str, cut: Cut, summary: bool) -> Iterator[dict[str, Any]]:
    for name in ("created", "in_progress"):
        yield {"type": f"response.{name}", "response": _response([], "in_progress")}
    yield from _reasoning(reasoning, cut, summary)
    yield from _answer(answer, cut)
    yield {"type": "response.completed", "response": whole(reasoning, answer, summary)}


def _reasoning(text: str, cut: Cut, summary: bool) -> Iterator[dict[str, Any]]:
    at = {"item_id": _REASONING, "output_index": 0, "summary_index" if summary else "content_index": 0}
    kind = "reasoning_summary_text" if summary else "reasoning_text"
    empty: dict[str, Any] = {"id": _REASONING, "type": "reasoning", "summary": [], "status": "in_progress"}
    yield {"type": "response.output_item.added", "output_index": 0, "item": empty}
    part = {"type": "summary_text" if summary else "reasoning_text", "text": ""}
    part_event = "response.reasoning_summary_part" if summary else "response.content_part"
    yield {"type": f"{part_event}.added", **at, "part": part}
    for piece in cut(text):
        yield {"type": f"response.{kind}.delta", **at, "delta": piece}
    yield {"type": f"response.{kind}.done", **at, "text": text}
    yield {"type": f"{part_event}.done", **at, "part": {**part, "text": text}}
    yield {"type": "response.output_item.done", "output_index": 0, "item": _reasoning_item(text, summary)}


def _answer(text: str, cut: Cut) -> Iterator[dict[str, Any]]:
    at = {"item_id": _MESSAGE, "output_index": 1, "content_index": 0}
    item = {"id": _MESSAGE, "type": "message", "role": "assistant", "content": [], "status": "in_progress"}
    part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
    yield {"type": "response.output_item.added", "output_index": 1, "item": item}
    yield {"type": "response.content_part.added", **at, "part": part}
    for piece in cut(text):
        yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **at, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": {**part, "text": text}}
    yield {"type": "response.output_item.done", "output_index": 1, "item": _message_item(text)}


def _reasoning_item(text: str, summary: bool) -> dict[str, Any]:
    item: dict[str, Any] = {"id": _REASONING, "type": "reasoning", "summary": [], "status": "completed"}
    if summary:
        item["summary"] = [{"type": "summary_text", "text": text}]
    else:
        item["content"] = [{"type": "reasoning_text", "text": text}]
    return item


def _message_item(text: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
    return {"id": _MESSAGE, "type": "message", "role": "assistant", "content": [part], "status": "completed"}


def whole(reasoning: str, answer: str, summary: bool = False) -> dict[str, Any]:
    """The same as a body that does not stream."""
    reasoned, answered = len(words(reasoning)), len(words(answer))
    usage = {
        "input_tokens": 1,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": reasoned + answered,
        "output_tokens_details": {"reasoning_tokens": reasoned},
        "total_tokens": 1 + reasoned + answered,
    }
    return _response([_reasoning_item(reasoning, summary), _message_item(answer)], "completed") | {"usage": usage}


def _response(output: list[dict[str, Any]], status: str) -> dict[str, Any]:
    return {
        "id": "resp_demo",
        "object": "response",
        "created_at": 1_790_000_000,
        "model": "demo",
        "status": status,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "usage": None,
    }
