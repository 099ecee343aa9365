"""Traces as engines stream them, in every dialect; pieces are cut where the caller wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from antidistill.serve.wire import ndjson, sse
from antidistill.serve.wire.tree import dumps

Cut = Callable[[str], list[str]]
_WORD = re.compile(r"\s*\S+|\s+$")


def words(text: str) -> list[str]:
    """A text cut before its words, like tokens."""
    return _WORD.findall(text)


def chat(
    reasoning: str, answer: str, style: str = "reasoning_content", cut: Cut = words, index: int = 0
) -> Iterator[bytes]:
    """A chat completion as events, without `[DONE]`.

    Args:
        reasoning: what is replayed.
        answer: what follows it.
        style: where the reasoning stands: `reasoning_content` (SGLang, DeepSeek, llama.cpp), `reasoning` (vLLM), `both`,
            `reasoning_details` (OpenRouter), `tags`, `unopened` (no opening tag), `harmony` (gpt-oss).
        cut: cuts a text into deltas.
        index: of the choice.
    """
    yield _chunk({"role": "assistant", "content": ""}, index)
    raw = {"tags": ("<think>", "</think>"), "unopened": ("", "</think>"), "harmony": HARMONY}.get(style)
    if raw is not None:
        for piece in cut(raw[0] + reasoning + raw[1] + answer):
            yield _chunk({"content": piece}, index)
    else:
        for piece in cut(reasoning):
            yield _chunk(_DELTAS[style](piece), index)
        for piece in cut(answer):
            yield _chunk({"content": piece}, index)
    yield _chunk({}, index, "stop")


HARMONY = (
    "<|channel|>analysis<|message|>",
    "<|end|><|start|>assistant<|channel|>final<|message|>",
)

_DELTAS: dict[str, Callable[[str], dict[str, Any]]] = {
    "reasoning_content": lambda text: {"reasoning_content": text, "content": None},
    "reasoning": lambda text: {"reasoning": text},
    "both": lambda text: {"reasoning": text, "reasoning_content": text},
    "reasoning_details": lambda text: {
        "role": "assistant",
        "content": "",
        "reasoning": text,
        "reasoning_details": [{"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}],
    },
}
STYLES = (*_DELTAS, "tags", "unopened", "harmony")
"""Where the reasoning of a chat completion may stand."""


def chat_usage(prompt: int, reasoning: int, answer: int) -> bytes:
    """The chunk that tells the counts."""
    output = reasoning + answer
    details = {"reasoning_tokens": reasoning}
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "completion_tokens_details": details,
    }
    return sse.encode(dumps({**_ENVELOPE, "choices": [], "usage": usage}))


DONE = sse.encode(b"[DONE]")
_ENVELOPE = {"id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "demo"}


def _chunk(delta: dict[str, Any], index: int, finish: str | None = None) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
    return sse.encode(dumps({**_ENVELOPE, "choices": [choice]}))


def chat_whole(reasoning: str, answer: str, style: str = "reasoning_content") -> dict[str, Any]:
    """The same as a body that does not stream."""
    message: dict[str, Any] = {"role": "assistant", "content": answer}
    tags = {"tags": ("<think>", "</think>"), "unopened": ("", "</think>"), "harmony": HARMONY}.get(style)
    if tags is not None:
        message["content"] = tags[0] + reasoning + tags[1] + answer
    else:
        message |= {**_DELTAS[style](reasoning), "content": answer}
    output = len(words(reasoning)) + len(words(answer))
    return {
        **_ENVELOPE,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": output, "total_tokens": 1 + output},
    }


def messages(blocks: Sequence[tuple[str, str]], cut: Cut = words) -> Iterator[bytes]:
    """A Messages response as events.

    Args:
        blocks: kind (`thinking`, `text`, `tool_use`) and text of each block, in order.
        cut: cuts a text into deltas.
    """
    head: dict[str, Any] = {
        "id": "msg_demo",
        "type": "message",
        "role": "assistant",
        "model": "demo",
        "content": [],
        "stop_reason": None,
    }
    usage = {"input_tokens": 1, "output_tokens": 1}
    yield _named({"type": "message_start", "message": {**head, "stop_sequence": None, "usage": usage}})
    yield _named({"type": "ping"})
    for index, (kind, text) in enumerate(blocks):
        yield from _block(index, kind, text, cut)
    tokens = sum(len(words(text)) for _, text in blocks)
    stop = "tool_use" if blocks and blocks[-1][0] == "tool_use" else "end_turn"
    yield _named(
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": {"output_tokens": tokens},
        }
    )
    yield _named({"type": "message_stop"})


_BLOCKS: dict[str, tuple[dict[str, Any], str, str]] = {
    "thinking": ({"type": "thinking", "thinking": "", "signature": ""}, "thinking_delta", "thinking"),
    "text": ({"type": "text", "text": ""}, "text_delta", "text"),
    "tool_use": (
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}},
        "input_json_delta",
        "partial_json",
    ),
}
SIGNATURE = "9f2c4b7a1d3e4f5a8b6c7d8e9f0a1b2c"
"""What vLLM and SGLang sign with: a random number."""


def _block(index: int, kind: str, text: str, cut: Cut) -> Iterator[bytes]:
    start, delta, key = _BLOCKS[kind]
    yield _named({"type": "content_block_start", "index": index, "content_block": start})
    for piece in cut(text):
        yield _named({"type": "content_block_delta", "index": index, "delta": {"type": delta, key: piece}})
    if kind == "thinking":
        signature = {"type": "signature_delta", "signature": SIGNATURE}
        yield _named({"type": "content_block_delta", "index": index, "delta": signature})
    yield _named({"type": "content_block_stop", "index": index})


def _named(event: dict[str, Any]) -> bytes:
    return sse.encode(dumps(event), event["type"])


def messages_whole(blocks: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The same as a body that does not stream."""
    content: list[dict[str, Any]] = []
    for kind, text in blocks:
        start, _, key = _BLOCKS[kind]
        if kind == "tool_use":
            content.append({**start, "input": {"q": text}})
        else:
            content.append({**start, key: text, **({"signature": SIGNATURE} if kind == "thinking" else {})})
    tokens = sum(len(words(text)) for _, text in blocks)
    return {
        "id": "msg_demo",
        "type": "message",
        "role": "assistant",
        "model": "demo",
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": tokens},
    }


def ollama(reasoning: str, answer: str, cut: Cut = words) -> Iterator[bytes]:
    """A response of Ollama's `/api/chat` as JSON lines."""
    head = {"model": "demo", "created_at": "2026-11-24T08:00:00Z"}
    for piece in cut(reasoning):
        message = {"role": "assistant", "content": "", "thinking": piece}
        yield ndjson.encode(dumps({**head, "message": message, "done": False}))
    for piece in cut(answer):
        yield ndjson.encode(dumps({**head, "message": {"role": "assistant", "content": piece}, "done": False}))
    end = {"done": True, "done_reason": "stop", "prompt_eval_count": 1, "eval_count": len(words(reasoning + answer))}
    yield ndjson.encode(dumps({**head, "message": {"role": "assistant", "content": ""}, **end}))
