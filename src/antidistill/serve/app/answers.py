"""Answers of our own, with errors in the shape that the clients of a route expect, and whole answers of the engine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web

from antidistill.errors import UpstreamGarbage
from antidistill.serve.app.engine import Answer, upstream_error
from antidistill.serve.side_channels.request_fields import ANSWER_HEADERS
from antidistill.serve.wire.tree import dumps

_HEADER = re.compile(r"[A-Za-z0-9_.:/+=-]{0,128}|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [0-9:]{8} GMT")
_ANTHROPIC = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=dumps(body), status=status, content_type="application/json", headers=headers)


def error_response(
    route: str, status: int, error: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> web.Response:
    """An error, as the clients of the route read it.

    Args:
        route: path of the request.
        status: HTTP status.
        error: `message`, and where they are known `type`, `code` and `param`.
        headers: further headers.
    """
    if route == "/v1/messages":
        inner = {"type": _ANTHROPIC.get(status, "api_error"), "message": error["message"]}
        return json_response({"type": "error", "error": inner}, status, headers)
    if route == "/api/chat":
        return json_response({"error": error["message"]}, status, headers)
    full = {"message": error["message"], "type": "invalid_request_error", "param": None, "code": None} | dict(error)
    return json_response({"error": full}, status, headers)


async def read_answer(answer: Answer, limit: int, seconds: float) -> bytes:
    """A whole body of the engine.

    Args:
        answer: whose head has come.
        limit: bytes.
        seconds: without a byte.

    Raises:
        UpstreamError: it is too long, broke off, or stalled.
    """
    parts: list[bytes] = []
    size = 0
    try:
        while True:
            async with asyncio.timeout(seconds):
                data = await answer.content.readany()
            if not data:
                return b"".join(parts)
            parts.append(data)
            size += len(data)
            if size > limit:
                raise UpstreamGarbage(f"a body of more than {limit:,} bytes")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise upstream_error(error) from error


def kept_headers(answer: Answer) -> dict[str, str]:
    """Headers of the engine that reach the client: numbers, ids and dates, no sentences."""
    return {
        name: value
        for name, value in answer.headers.items()
        if name.lower() in ANSWER_HEADERS and _HEADER.fullmatch(value)
    }


def stream_type(answer: Answer) -> str:
    """`Content-Type` of a stream, without parameters that no client needs."""
    return f"{answer.content_type}; charset=utf-8" if answer.charset else answer.content_type
