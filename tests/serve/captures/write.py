"""Writes the captures in this folder, and what the guard makes of them: `python -m tests.serve.captures.write`.

A capture is what an engine sends, written here after the wire formats that engines document and their servers show: no capture was
taken from a live engine. `NAME.in.EXT` is what comes in, `NAME.out.EXT` what leaves under `traceguard` with the key of the tests.
A difference in a `.out.` file is a change of behaviour: look at it before it is committed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.serve.captures import blocks, chat
from tests.serve.captures.texts import ANSWER, REASONING, body, line, named, sse
from tests.serve.replay import context, run

from antidistill.serve.demo.scripts import HARMONY, words
from antidistill.serve.dialects.table import DIALECTS
from antidistill.serve.policies import Usage

FOLDER = Path(__file__).parent
ROUTES = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "ollama": "/api/chat",
}


def route_of(name: str) -> str:
    """The route that a capture belongs to, by the first word of its name."""
    return ROUTES[re.split("[-.]", name)[0]]


def guarded(name: str, data: bytes, pieces: list[bytes] | None = None) -> bytes:
    """What leaves, for a stream cut into these pieces or a body."""
    own = context("p", usage=Usage.VISIBLE)
    if name.endswith(".json"):
        return DIALECTS[route_of(name)].whole(own, data).render()
    return run(route_of(name), own, pieces or [data])


def captures() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each."""
    yield "chat-deepseek.sse", sse(chat.deepseek())
    yield "chat-vllm.sse", sse(chat.vllm())
    yield "chat-both-fields.sse", sse(chat.chat([{"reasoning": w, "reasoning_content": w} for w in words(REASONING)]))
    yield "chat-openrouter.sse", chat.openrouter()
    yield (
        "chat-think-tags.sse",
        sse(chat.chat(chat.content(f"<think>\n{REASONING}\n</think>\n\n{ANSWER}", 5), answer=False)),
    )
    yield "chat-think-unopened.sse", sse(chat.chat(chat.content(f"{REASONING}\n</think>\n\n{ANSWER}", 7), answer=False))
    yield (
        "chat-harmony.sse",
        sse(chat.chat(chat.content(HARMONY[0] + REASONING + HARMONY[1] + ANSWER, 6), answer=False)),
    )
    yield "chat-two-choices.sse", sse(chat.two_choices())
    yield "chat-tool-calls.sse", sse(chat.tool_calls())
    yield "chat-crlf.sse", sse(chat.deepseek()).replace(b"\n", b"\r\n")
    yield "chat-vllm.json", body(chat.chat_body({"reasoning": REASONING, "content": ANSWER}))
    yield (
        "chat-openrouter.json",
        body(chat.chat_body({"reasoning": REASONING, "content": ANSWER, "reasoning_details": chat.details(REASONING)})),
    )
    yield "chat-think-tags.json", body(chat.chat_body({"content": f"<think>\n{REASONING}\n</think>\n\n{ANSWER}"}))
    yield (
        "chat-tool-calls.json",
        body(chat.chat_body({"reasoning_content": REASONING, "content": None, "tool_calls": [chat.CALL]})),
    )
    yield "messages-interleaved.sse", named(blocks.messages())
    yield "messages-signed.sse", named(blocks.messages("claude-opus-5", "EqQBCgIYAhIM" + "QmFzZTY0" * 40))
    yield "messages.json", body(blocks.messages_body())
    yield "responses-text.sse", named(blocks.responses("content"))
    yield "responses-summary.sse", named(blocks.responses("summary"))
    yield "responses.json", body(blocks.response(blocks.items("content")))
    yield "ollama.ndjson", b"".join(line(one) for one in blocks.ollama())
    yield (
        "ollama.json",
        body(
            {
                **blocks.OLLAMA,
                "message": {"role": "assistant", "content": ANSWER, "thinking": REASONING},
                **blocks.OLLAMA_END,
            }
        ),
    )


def place(name: str, side: str) -> Path:
    """Where a capture (`in`) or what leaves (`out`) is kept."""
    stem, _, extension = name.rpartition(".")
    return FOLDER / f"{stem}.{side}.{extension}"


def main() -> None:
    for name, data in captures():
        place(name, "in").write_bytes(data)
        place(name, "out").write_bytes(guarded(name, data))


if __name__ == "__main__":
    main()
