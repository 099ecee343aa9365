"""Ollama's own dialect: JSON lines, reasoning in `message.thinking`.

`context` (token ids) and durations, which tell how many tokens there were, are not known here and are dropped.
"""

from __future__ import annotations

from typing import Any, ClassVar

from antidistill.serve.dialects.chat import ChatStream
from antidistill.serve.dialects.shapes import Role, Shape
from antidistill.serve.dialects.stream import Cutter
from antidistill.serve.dialects.whole_chat import WholeChat
from antidistill.serve.wire import ndjson
from antidistill.serve.wire.sse import Event
from antidistill.serve.wire.tree import Tree, dumps

_MESSAGE: Shape = {
    "role": Role.NAME,
    "content": Role.CONTENT,
    "thinking": Role.REASONING,
    "images": Role.ANSWER,
    "tool_calls": Role.ANSWER,
    "tool_name": Role.NAME,
}
LINE: Shape = {
    "model": Role.NAME,
    "created_at": Role.NAME,
    "message": _MESSAGE,
    "done": Role.FINISH,
    "done_reason": Role.NAME,
    "prompt_eval_count": Role.NAME,
    "eval_count": Role.COUNT,
    "error": Role.ERROR,
}


class OllamaStream(ChatStream):
    """Guards a stream of Ollama's chat lines."""

    media_type: ClassVar[str] = ndjson.MEDIA_TYPE
    shape: ClassVar[Shape] = LINE
    envelope: ClassVar[tuple[str, ...]] = ("model", "created_at")

    def _make_cutter(self) -> Cutter:
        return ndjson.LineCutter(self.context.max_event_bytes)

    def _read(self, raw: bytes) -> Event:
        return ndjson.read(raw)

    def _index(self, tree: Tree) -> int | None:
        return None if tree.root.get("message") is None and tree.root.get("done") is None else 0

    def _alone(self, index: int, fields: dict[str, str]) -> list[bytes]:
        return [self._bare(index, {"thinking": text}) for text in fields.values() if text]

    def _token(self, index: int, token: str) -> bytes:
        return b""  # no field is free: the store keeps what does not fit anywhere

    def _bare(self, index: int, delta: dict[str, Any]) -> bytes:
        message = {"role": "assistant", "content": "", **delta}
        return ndjson.encode(dumps({**self._common, "message": message, "done": False}))

    def _error(self, error: dict[str, Any]) -> bytes:
        return ndjson.encode(dumps({"error": error["message"]}))


class WholeOllama(WholeChat):
    """Guards the body of one of Ollama's chat responses."""

    shape: Shape = LINE

    def _put_token(self, message: Any, token: str) -> bytes:
        return b""
