"""Chat completions as several engines write them."""

from __future__ import annotations

from typing import Any

from tests.serve.captures.texts import ANSWER, CUT, REASONING, sse

from antidistill.serve.demo.scripts import words

_HEAD = {"id": "chatcmpl-7f3a", "object": "chat.completion.chunk", "created": 1763970000, "model": "qwen3-32b"}
_USAGE = {
    "prompt_tokens": 21,
    "completion_tokens": 52,
    "total_tokens": 73,
    "completion_tokens_details": {"reasoning_tokens": 40},
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "sum", "arguments": '{"a": 56, "b": 4}'}}


def _choice(delta: dict[str, Any], finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    return {**_HEAD, "choices": [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish, **more}]}


def content(text: str, size: int) -> list[dict[str, Any]]:
    return [{"content": text[at : at + size]} for at in range(0, len(text), size)]


def chat(deltas: list[dict[str, Any]], answer: bool = True) -> list[Any]:
    answers = [{"content": word} for word in words(ANSWER)] if answer else []
    first = _choice({"role": "assistant", "content": ""})
    return [first, *map(_choice, [*deltas, *answers]), _choice({}, "stop"), {**_HEAD, "choices": [], "usage": _USAGE}]


def deepseek() -> list[Any]:
    deltas = [{"content": None, "reasoning_content": word} for word in words(REASONING)]
    answers = [{"content": word, "reasoning_content": None} for word in words(ANSWER)]
    first = _choice({"role": "assistant", "content": None, "reasoning_content": ""})
    events = [first, *map(_choice, [*deltas, *answers])]
    last = {**_choice({"content": "", "reasoning_content": None}, "stop"), "usage": _USAGE}
    return [{**one, "system_fingerprint": "fp_8802369eaa"} for one in (*events, last)]


def vllm() -> list[Any]:
    first = {**_choice({"role": "assistant", "content": ""}), "prompt_token_ids": [1, 2, 3]}
    deltas = [{"reasoning": word} for word in words(REASONING)] + [{"content": word} for word in words(ANSWER)]
    events = [_choice(delta, token_ids=[number, 198]) for number, delta in enumerate(deltas)]
    return [
        first,
        *events,
        _choice({"content": ""}, "stop", stop_reason=None),
        {**_HEAD, "choices": [], "usage": _USAGE},
    ]


def details(text: str) -> list[Any]:
    return [{"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}]


def openrouter() -> bytes:
    deltas = [
        {"role": "assistant", "content": "", "reasoning": w, "reasoning_details": details(w)} for w in words(REASONING)
    ]
    answers = [{"role": "assistant", "content": word} for word in words(ANSWER)]
    events = [{**_choice(delta, native_finish_reason=None), "provider": "DeepInfra"} for delta in [*deltas, *answers]]
    last = {
        **_choice({"role": "assistant", "content": ""}, "stop", native_finish_reason="stop"),
        "provider": "DeepInfra",
    }
    usage = {**_HEAD, "choices": [], "usage": {**_USAGE, "cost": 0.0001}}
    return b": OPENROUTER PROCESSING\n\n" * 2 + sse([*events, last, usage])


def two_choices() -> list[Any]:
    other = f"Another way. {CUT} So 60."
    rows: list[list[Any]] = []
    for index, text in enumerate((REASONING, other)):
        deltas = [{"reasoning": word} for word in words(text)] + [
            {"content": word} for word in words(f"{index}: {ANSWER}")
        ]
        rows.append([_choice(delta, index=index) for delta in deltas] + [_choice({}, "stop", index)])
    longest = max(map(len, rows))
    return [row[place] for place in range(longest) for row in rows if place < len(row)]


def tool_calls() -> list[Any]:
    deltas: list[dict[str, Any]] = [{"reasoning_content": word} for word in words(REASONING)]
    head = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "sum", "arguments": ""}}
    deltas.append({"tool_calls": [head]})
    arguments = CALL["function"]["arguments"]  # type: ignore[index]
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in words(arguments)]
    return [_choice({"role": "assistant", "content": None}), *map(_choice, deltas), _choice({}, "tool_calls")]


def chat_body(message: dict[str, Any]) -> dict[str, Any]:
    finish = "tool_calls" if "tool_calls" in message else "stop"
    choice = {"index": 0, "message": {"role": "assistant", **message}, "logprobs": None, "finish_reason": finish}
    return {**_HEAD, "object": "chat.completion", "choices": [choice], "usage": _USAGE}
