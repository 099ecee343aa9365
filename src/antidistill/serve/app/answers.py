"""Answers of our own: errors in the shape that the clients of a route expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from antidistill.serve.wire.tree import dumps

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
