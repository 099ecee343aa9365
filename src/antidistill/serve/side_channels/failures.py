"""Error bodies: they say what kind of thing went wrong, never what the engine wrote.

An engine's message may quote the request, and the request holds restored originals of earlier turns.
"""

from __future__ import annotations

import re
from typing import Any

from antidistill.errors import UpstreamGarbage
from antidistill.serve.wire.tree import loads

_WORD = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
_MESSAGES = {
    400: "the engine refused the request.",
    401: "the engine refused the credentials.",
    403: "the engine refused the credentials.",
    404: "the engine does not know this model or route.",
    408: "the engine took too long.",
    413: "the request is too large for the engine.",
    422: "the engine could not read the request.",
    429: "the engine is asked too often.",
    503: "the engine is not ready.",
    504: "the engine took too long.",
}
_CONTEXT = re.compile(r"(?:maximum context length|context (?:size|window|length))\D{0,40}(\d{2,9})", re.I)


def from_engine(status: int, body: bytes) -> dict[str, Any]:
    """What a client is told about an error response: a message of our own, and type, code and parameter if they are words."""
    found: dict[str, Any] = {}
    text = ""
    try:
        parsed = loads(body[:65_536])
    except UpstreamGarbage:
        parsed = None
    if isinstance(parsed, dict):
        inner = parsed.get("error", parsed)
        inner = inner if isinstance(inner, dict) else {"message": inner}
        text = inner["message"] if isinstance(inner.get("message"), str) else ""
        for name in ("type", "code", "param"):
            value = inner.get(name)
            if isinstance(value, int) or (isinstance(value, str) and _WORD.fullmatch(value)):
                found[name] = value
    message = _MESSAGES.get(status, "the engine failed." if status >= 500 else "the engine refused the request.")
    if limit := _CONTEXT.search(text):
        message = f"the engine refused the request: its maximum context length is {limit[1]} tokens."
    return {"message": message, "type": found.get("type", "upstream_error"), **found}
