"""Which dialect is spoken on which route."""

from __future__ import annotations

from typing import NamedTuple

from antidistill.serve.dialects.chat import ChatStream
from antidistill.serve.dialects.messages import MessagesStream
from antidistill.serve.dialects.ollama import OllamaStream, WholeOllama
from antidistill.serve.dialects.responses import ResponsesStream
from antidistill.serve.dialects.stream import GuardedStream
from antidistill.serve.dialects.whole import WholeBody
from antidistill.serve.dialects.whole_chat import WholeChat
from antidistill.serve.dialects.whole_messages import WholeMessages
from antidistill.serve.dialects.whole_responses import WholeResponses
from antidistill.serve.wire import ndjson, sse


class Dialect(NamedTuple):
    """Guards what an engine answers on one route, streamed or not."""

    name: str
    stream: type[GuardedStream]
    whole: type[WholeBody]

    def stream_of(self, media_type: str) -> type[GuardedStream]:
        """The stream for what the engine says that it sends: JSON lines are Ollama's, whatever the route."""
        return OllamaStream if media_type == ndjson.MEDIA_TYPE else self.stream


DIALECTS = {
    "/v1/chat/completions": Dialect("chat", ChatStream, WholeChat),
    "/v1/messages": Dialect("messages", MessagesStream, WholeMessages),
    "/v1/responses": Dialect("responses", ResponsesStream, WholeResponses),
    "/api/chat": Dialect("ollama", OllamaStream, WholeOllama),
}
"""By route; everything else is 404."""

STREAM_TYPES = frozenset((sse.MEDIA_TYPE, ndjson.MEDIA_TYPE))
"""Content types of streams."""
