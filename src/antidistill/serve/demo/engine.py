"""The scripted engine: answers in every dialect with a known trace, paced like a model."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from typing import Any

import orjson
from aiohttp import web

from antidistill.formats.messages import prompt_of
from antidistill.serve.demo import responses, scripts
from antidistill.serve.wire import ndjson, sse
from antidistill.trace import Trace


def bundled_traces() -> list[Trace]:
    """The traces that come with the package."""
    rows = orjson.loads(resources.files("antidistill.serve.demo").joinpath("traces.json").read_bytes())
    return [Trace(row["id"], row["prompt"], row["reasoning"], row["answer"]) for row in rows]


class DemoEngine:
    """Answers a prompt with its trace, another prompt with the next one.

    The model's name says how: `demo` or `demo-STYLE`, see `scripts.STYLES`.

    Args:
        traces: what is replayed.
        events_per_second: pace of each stream; 0: as fast as it goes.
        cut: cuts a text into deltas.
    """

    def __init__(
        self, traces: Sequence[Trace], events_per_second: float = 0.0, cut: scripts.Cut = scripts.words
    ) -> None:
        self._by_prompt = {trace.prompt: trace for trace in traces}
        self._next = itertools.cycle(traces)
        self._pause = 1 / events_per_second if events_per_second else 0.0
        self._cut = cut

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one request."""
        if request.path == "/v1/models":
            names = ["demo", *(f"demo-{style}" for style in scripts.STYLES)]
            data = [{"id": name, "object": "model", "created": 0, "owned_by": "demo"} for name in names]
            return _json({"object": "list", "data": data})
        if request.method != "POST":
            return _json({"error": {"message": "not found", "type": "not_found"}}, 404)
        body = orjson.loads(await request.read())
        trace = self._trace(body)
        style = str(body.get("model", "")).removeprefix("demo").removeprefix("-") or "reasoning_content"
        if style not in scripts.STYLES:
            style = "reasoning_content"
        if not body.get("stream"):
            return _json(whole(request.path, trace, style))
        kind = ndjson.MEDIA_TYPE if request.path == "/api/chat" else sse.MEDIA_TYPE
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for event in stream(request.path, trace, style, self._cut):
            await response.write(event)
            if self._pause:
                await asyncio.sleep(self._pause)
        await response.write_eof()
        return response

    def _trace(self, body: dict[str, Any]) -> Trace:
        given = body.get("messages", body.get("input"))
        turns = [turn for turn in given if isinstance(turn, dict)] if isinstance(given, list) else []
        prompt = given if isinstance(given, str) else prompt_of(turns)
        return self._by_prompt.get(prompt) or next(self._next)


def stream(path: str, trace: Trace, style: str, cut: scripts.Cut = scripts.words) -> Iterator[bytes]:
    """What an engine streams on a route."""
    if path == "/v1/messages":
        return scripts.messages([("thinking", trace.reasoning), ("text", trace.answer)], cut)
    if path == "/v1/responses":
        return responses.stream(trace.reasoning, trace.answer, cut)
    if path == "/api/chat":
        return scripts.ollama(trace.reasoning, trace.answer, cut)
    count = len(scripts.words(trace.reasoning)), len(scripts.words(trace.answer))
    tail: Iterable[bytes] = (scripts.chat_usage(len(scripts.words(trace.prompt)), *count), scripts.DONE)
    return itertools.chain(scripts.chat(trace.reasoning, trace.answer, style, cut), tail)


def whole(path: str, trace: Trace, style: str) -> dict[str, Any]:
    """What an engine answers on a route where it does not stream."""
    if path == "/v1/messages":
        return scripts.messages_whole([("thinking", trace.reasoning), ("text", trace.answer)])
    if path == "/v1/responses":
        return responses.whole(trace.reasoning, trace.answer)
    if path == "/api/chat":
        message = {"role": "assistant", "content": trace.answer, "thinking": trace.reasoning}
        return {"model": "demo", "created_at": "2026-11-24T08:00:00Z", "message": message, "done": True}
    return scripts.chat_whole(trace.reasoning, trace.answer, style)


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")
