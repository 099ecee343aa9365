"""The OpenAPI document of the reverse proxy, made from what it serves: routes, known fields, limits, errors.

It describes the proxy, not the engine: a request field that is listed reaches the engine as it came, one that is not listed does
not, and what an answer holds beside its guarded reasoning is the engine's.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any

from antidistill.serve.dialects.table import DIALECTS
from antidistill.serve.side_channels.request_fields import FIELDS
from antidistill.serve.wire import ndjson, sse

OLLAMA = "/api/chat"
_GIVEN = {"/v1/responses": "input"}
_TEXT = {"type": "string"}
_REFUSALS = {
    "400": "The body is no JSON object, is nested too deeply, or ends with a message of the assistant.",
    "401": "The API key is missing, not known here, or there are two of them.",
    "413": "The body is larger than `limits.max_body_bytes`.",
    "502": "The engine failed, or the reasoning could not be guarded.",
    "503": "Too many requests are under way, or the server is about to stop.",
    "504": "The engine did not answer in time.",
}


def document(ollama: bool = False) -> dict[str, Any]:
    """The OpenAPI document, version 3.1.

    Args:
        ollama: with the route of Ollama, as `antidistill serve --ollama` serves it.
    """
    routes = [route for route in DIALECTS if ollama or route != OLLAMA]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "antidistill serve",
            "version": metadata.version("antidistill"),
            "description": "A reverse proxy that guards the reasoning of an engine. Every path that is not here is 404.",
        },
        "paths": {route: {"post": _guarded(route)} for route in routes} | _own(),
        "components": {
            "schemas": {"Error": _ERROR, "MessagesError": _MESSAGES_ERROR, "OllamaError": _OLLAMA_ERROR},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
        "security": [{}, {"bearer": []}, {"key": []}],
    }


def _guarded(route: str) -> dict[str, Any]:
    given = _GIVEN.get(route, "messages")
    properties: dict[str, Any] = {name: {} for name in sorted(FIELDS[route])}
    schema = {"type": "object", "properties": properties, "description": "Fields that are not listed are dropped."}
    stream, shape = (ndjson.MEDIA_TYPE, _TEXT) if route == OLLAMA else (sse.MEDIA_TYPE, _EVENT)
    answer = {"description": "The engine's answer, guarded.", "headers": _ID}
    return {
        "operationId": DIALECTS[route].name,
        "summary": f"Asks the engine; what it was asked is in `{given}`.",
        "parameters": _PARAMETERS,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "200": answer
            | {"content": {"application/json": {"schema": {"type": "object"}}, stream: {"schema": shape}}},
            **{status: _error(route, told) for status, told in _REFUSALS.items()},
            "default": _error(route, "An error status of the engine, with a message of our own."),
        },
    }


def _error(route: str, told: str) -> dict[str, Any]:
    name = {"/v1/messages": "MessagesError", OLLAMA: "OllamaError"}.get(route, "Error")
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    return {"description": told, "headers": _ID, "content": content}


def _own() -> dict[str, Any]:
    status = {"type": "object", "required": ["status"], "properties": {"status": _TEXT}}
    version = {"type": "object", "required": ["version"], "properties": {"version": _TEXT}}
    models = _get("models", "Models of the engine, as it tells them.", {"type": "object"})
    models["get"]["parameters"] = _PARAMETERS
    for code in ("401", "502", "504"):
        models["get"]["responses"][code] = _error("", _REFUSALS[code])
    ready = _get("ready", "Whether the engine answers and the server takes requests.", status)
    ready["get"]["responses"]["503"] = ready["get"]["responses"]["200"] | {"description": "Not now."}
    return {
        "/v1/models": models,
        "/livez": _get("live", "Whether the server runs.", status),
        "/readyz": ready,
        "/version": _get("version", "Version of antidistill.", version),
    }


def _get(name: str, summary: str, schema: dict[str, Any]) -> dict[str, Any]:
    answer = {"description": summary, "headers": _ID, "content": {"application/json": {"schema": schema}}}
    return {"get": {"operationId": name, "summary": summary, "responses": {"200": answer}}}


_EVENT = {"type": "object", "required": ["data"], "properties": {"data": _TEXT, "event": _TEXT}}
_ID = {"x-request-id": {"schema": _TEXT, "required": True}}
_PARAMETERS = [{"name": "x-request-id", "in": "header", "required": False, "schema": _TEXT}]
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": _TEXT,
                "type": {"type": ["string", "integer"]},
                "param": {"type": ["string", "integer", "null"]},
                "code": {"type": ["string", "integer", "null"]},
            },
        }
    },
}
_MESSAGES_ERROR = {
    "type": "object",
    "required": ["type", "error"],
    "properties": {
        "type": {"const": "error"},
        "error": {"type": "object", "required": ["type", "message"], "properties": {"type": _TEXT, "message": _TEXT}},
    },
}
_OLLAMA_ERROR = {"type": "object", "required": ["error"], "properties": {"error": _TEXT}}
