"""Routes that the proxy answers itself, and the list of models."""

from __future__ import annotations

import asyncio
import time
from importlib import metadata

from aiohttp import web

from antidistill.errors import AntidistillError, Refused, UpstreamGarbage
from antidistill.serve.app.answers import json_response, read_answer
from antidistill.serve.app.engine import Engine
from antidistill.serve.operations import Gate
from antidistill.serve.policies import PolicyBook, presented_key
from antidistill.serve.side_channels.requests import engine_headers

OWN = frozenset({"/livez", "/readyz", "/version", "/v1/models"})
"""Routes that take GET; nothing of them depends on a reasoning."""
_READY_SECONDS = 5.0
_MODELS_SECONDS = 30.0


class OwnRoutes:
    """Answers `OWN`.

    Args:
        book: policies.
        engine: that is asked for its models, and whether it is there.
        gate: that knows whether the server is about to stop.
    """

    def __init__(self, book: PolicyBook, engine: Engine, gate: Gate) -> None:
        self._book, self._engine, self._gate = book, engine, gate
        self._ready = (0.0, False)

    async def answer(self, request: web.BaseRequest, route: str, rid: str) -> web.Response:
        """The answer to a request on one of the routes.

        Raises:
            Refused, UpstreamError: the models cannot be told.
        """
        if route == "/livez":
            return json_response({"status": "alive"})
        if route == "/readyz":
            ready = await self._is_ready()
            return json_response({"status": "ready" if ready else "not ready"}, 200 if ready else 503)
        if route == "/version":
            return json_response({"version": metadata.version("antidistill")})
        return await self._models(request, rid)

    async def _models(self, request: web.BaseRequest, rid: str) -> web.Response:
        snapshot = self._book.current
        snapshot.client(presented_key(request.headers.items()))
        own = {"accept-encoding": "identity", "x-request-id": rid}
        headers = snapshot.credentials.apply(engine_headers(request.headers.items(), own))
        answer = await self._engine.ask("GET", "/v1/models", headers, None)
        try:
            if answer.status != 200:
                raise Refused(502, "upstream_status", "the engine does not tell its models.")
            if answer.content_type != "application/json":
                raise UpstreamGarbage("a response that is not JSON")
            body = await read_answer(answer, snapshot.settings.limits.max_response_bytes, _MODELS_SECONDS)
        finally:
            answer.close()
        return web.Response(body=body, content_type="application/json")

    async def _is_ready(self) -> bool:
        """Whether the engine answers; asked at most every few seconds."""
        now = time.monotonic()
        if now - self._ready[0] > _READY_SECONDS:
            self._ready = (now, await self._reaches_engine())
        return self._ready[1] and not self._gate.draining

    async def _reaches_engine(self) -> bool:
        try:
            async with asyncio.timeout(_READY_SECONDS):
                headers = self._book.current.credentials.apply([("accept-encoding", "identity")])
                answer = await self._engine.ask("GET", "/v1/models", headers, None)
        except (AntidistillError, TimeoutError):
            return False
        answer.close()
        return answer.status < 500
