"""Runs bytes of an engine through a guarded stream, and reads what leaves as clients do."""

from __future__ import annotations

import json
import random
from typing import Any, NamedTuple

import antidistill as ad
from antidistill.serve.demo import responses, scripts
from antidistill.serve.demo.engine import stream as engine_stream
from antidistill.serve.dialects.table import DIALECTS
from antidistill.serve.guard.context import Context
from antidistill.serve.guard.lane import Guard
from antidistill.serve.guard.parts import joined
from antidistill.serve.policies import OnFailure, Unopened, Usage
from antidistill.trace import Trace, trace_key

ROUTES = {name.rsplit("/", 1)[-1]: name for name in DIALECTS}
KEY = b"0123456789abcdef"
CASES = [
    *(("/v1/chat/completions", style) for style in scripts.STYLES),
    ("/v1/messages", ""),
    ("/v1/responses", ""),
    ("/v1/responses", "summary"),
    ("/api/chat", ""),
]
"""Every dialect: route and style."""


class Said(NamedTuple):
    """What a client has read."""

    reasoning: list[str]
    answer: str


def context(
    prompt: str = "p",
    method: str = "traceguard",
    usage: Usage = Usage.UPSTREAM,
    unopened: Unopened = Unopened.HOLD,
    **options: Any,
) -> Context:
    defense = ad.defense(method, key=KEY, **(options or {"k": 20} if method == "traceguard" else options))
    return Context(Guard(defense, trace_key(prompt)), unopened, usage)


def failing_context(defense: Any, on_failure: OnFailure) -> Context:
    return Context(Guard(defense, trace_key("p"), on_failure))


def events(route: str, style: str, trace: Trace, cut: scripts.Cut = scripts.words) -> list[bytes]:
    if style == "summary":
        return list(responses.stream(trace.reasoning, trace.answer, cut, summary=True))
    return list(engine_stream(route, trace, style, cut))


def run(route: str, own: Context, data: list[bytes]) -> bytes:
    """What leaves when the engine sends these pieces and closes."""
    stream = DIALECTS[route].stream(own)
    out = [joined(stream.feed(piece)) for piece in data]
    return b"".join([*out, joined(stream.finish())])


def shuffled(data: bytes, seed: int, most: int = 300) -> list[bytes]:
    """Bytes cut anywhere."""
    rng = random.Random(seed)
    pieces = []
    while data:
        size = rng.randint(1, most)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def payloads(data: bytes) -> list[dict[str, Any]]:
    """JSON objects of a stream, in order."""
    found = []
    for line in data.replace(b"\r\n", b"\n").split(b"\n"):
        text = line.removeprefix(b"data:").strip()
        if text.startswith(b"{"):
            found.append(json.loads(text))
    return found


def read(route: str, style: str, data: bytes) -> Said:
    """What a client makes of a stream."""
    reader = {
        "/v1/chat/completions": _read_chat,
        "/v1/messages": _read_messages,
        "/v1/responses": _read_responses,
        "/api/chat": _read_ollama,
    }[route]
    said = reader(payloads(data))
    tags = {"tags": ("<think>", "</think>"), "unopened": ("", "</think>"), "harmony": scripts.HARMONY}.get(style)
    if tags:
        assert said.answer.startswith(tags[0])
        inside, found, answer = said.answer[len(tags[0]) :].partition(tags[1])
        assert found, said.answer
        return Said([inside], answer)
    return said


def _read_chat(objects: list[dict[str, Any]]) -> Said:
    fields: dict[str, str] = {}
    for one in objects:
        for choice in one.get("choices", []):
            delta = choice["delta"]
            for name in ("reasoning", "reasoning_content", "content"):
                fields[name] = fields.get(name, "") + (delta.get(name) or "")
            for item in delta.get("reasoning_details") or ():
                fields["details"] = fields.get("details", "") + (item.get("text") or "")
    answer = fields.pop("content", "")
    return Said([text for text in fields.values() if text], answer)


def _read_messages(objects: list[dict[str, Any]]) -> Said:
    thinking, text = "", ""
    for one in objects:
        if one["type"] == "content_block_delta":
            thinking += one["delta"].get("thinking", "")
            text += one["delta"].get("text", "")
    return Said([thinking], text)


def _read_responses(objects: list[dict[str, Any]]) -> Said:
    reasoning, text, repeated = "", "", []
    assert [one["sequence_number"] for one in objects] == list(range(len(objects)))
    for one in objects:
        if one["type"] in {"response.reasoning_text.delta", "response.reasoning_summary_text.delta"}:
            reasoning += one["delta"]
        elif one["type"] == "response.output_text.delta":
            text += one["delta"]
        elif one["type"] in {"response.reasoning_text.done", "response.reasoning_summary_text.done"}:
            repeated.append(one["text"])
        elif one["type"].endswith("part.done") and "reasoning" in str(one["part"]["type"]) + one["type"]:
            repeated.append(one["part"]["text"])
        elif one["type"] == "response.output_item.done" and one["item"]["type"] == "reasoning":
            repeated += [part["text"] for name in ("content", "summary") for part in one["item"].get(name) or ()]
        elif one["type"] == "response.completed":
            for item in one["response"]["output"]:
                if item["type"] == "reasoning":
                    repeated += [part["text"] for name in ("content", "summary") for part in item.get(name) or ()]
                else:
                    assert item["content"][0]["text"] == text
    return Said([reasoning, *repeated], text)


def _read_ollama(objects: list[dict[str, Any]]) -> Said:
    thinking = "".join(one["message"].get("thinking", "") for one in objects)
    return Said([thinking], "".join(one["message"].get("content", "") for one in objects))


def guarded(trace: Trace, own: Context) -> str:
    """What a file would hold."""
    return ad.guard(trace, own.guard.defense).reasoning
