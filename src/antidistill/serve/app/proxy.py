"""The routes: what is asked of the engine, and who answers everything else."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
from aiohttp import web

from antidistill.errors import DefenseError, Refused, UpstreamError, UpstreamGarbage
from antidistill.serve.app.answers import error_response, kept_headers, read_answer, stream_type
from antidistill.serve.app.engine import Answer, Engine
from antidistill.serve.app.exchange import Exchange
from antidistill.serve.app.own_routes import OWN, OwnRoutes
from antidistill.serve.app.relay import CLIENT_GONE, STREAM_HEADERS, Relay, Verbatim
from antidistill.serve.app.told import tell
from antidistill.serve.audit import AuditLog
from antidistill.serve.dialects.table import DIALECTS, STREAM_TYPES
from antidistill.serve.operations import Gate, Metrics, Spans, log, read_body, request_id
from antidistill.serve.policies import PolicyBook, presented_key
from antidistill.serve.side_channels import failures
from antidistill.serve.side_channels.requests import close_channels, engine_headers, read_request
from antidistill.serve.turns import Turns

_ERROR_BYTES = 65_536


class Proxy:
    """Answers requests.

    Args:
        book: policies.
        engine: that is asked.
        turns: originals of earlier turns.
        metrics, spans, audit: where it is told about.
        routes: dialects that are served.
    """

    def __init__(
        self,
        book: PolicyBook,
        engine: Engine,
        turns: Turns,
        metrics: Metrics,
        spans: Spans,
        audit: AuditLog | None = None,
        routes: frozenset[str] = frozenset(DIALECTS),
    ) -> None:
        self.book, self.engine, self.turns, self.metrics = book, engine, turns, metrics
        self.gate = Gate(book.current.settings.limits.max_streams)
        self._spans, self._audit = spans, audit
        self._routes = {route: dialect for route, dialect in DIALECTS.items() if route in routes}
        self._marked_models: set[str] = set()
        self._own = OwnRoutes(book, engine, self.gate)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one request; nothing that goes wrong tells the client more than it may know."""
        rid = request_id(request.headers.get("x-request-id"))
        route = request.rel_url.raw_path
        try:
            response = await self._route(request, route, rid)
        except Refused as refused:
            response = self._refuse(refused, route)
        except UpstreamError as error:
            response = error_response(
                route, error.status, {"message": str(error), "type": "upstream_error", "code": error.code}
            )
        except (asyncio.CancelledError, *CLIENT_GONE):
            raise
        except Exception as error:
            log("failure", logging.ERROR, error, request_id=rid)
            response = error_response(
                route, 500, {"message": "internal error.", "type": "server_error", "code": "internal"}
            )
        if not response.prepared:
            response.headers["x-request-id"] = rid
            if self.gate.draining:
                response.force_close()
        return response

    async def _route(self, request: web.BaseRequest, route: str, rid: str) -> web.StreamResponse:
        if route in self._routes:
            if request.method != "POST":
                raise Refused(405, "method_not_allowed", "this route takes POST.")
            with self.gate.admitted():
                return await self._guarded(request, route, rid)
        if route in OWN:
            if request.method not in {"GET", "HEAD"}:
                raise Refused(405, "method_not_allowed", "this route takes GET.")
            return await self._own.answer(request, route, rid)
        raise Refused(404, "not_found", "there is nothing here.")

    def _refuse(self, refused: Refused, route: str) -> web.Response:
        headers = {"Retry-After": "1"} if refused.status == 503 else {}
        if refused.status == 405:
            headers["Allow"] = "POST" if route in self._routes else "GET, HEAD"
        kind = {401: "authentication_error", 404: "not_found_error", 503: "overloaded_error"}
        error = {
            "message": str(refused),
            "type": kind.get(refused.status, "invalid_request_error"),
            "code": refused.code,
        }
        return error_response(route, refused.status, error, headers)

    async def _guarded(self, request: web.BaseRequest, route: str, rid: str) -> web.StreamResponse:
        snapshot = self.book.current
        client = snapshot.client(presented_key(request.headers.items()))
        limits = snapshot.settings.limits
        try:
            content = await read_body(
                request.content.iter_any(), limits.max_body_bytes, request.headers.get("Content-Length")
            )
        except aiohttp.http_exceptions.ContentEncodingError:
            raise Refused(400, "bad_encoding", "the body cannot be decompressed.") from None
        asked = read_request(content)
        policy = snapshot.policy(client, asked.model, route)
        span = self._spans.start(request.headers.items(), asked.model, asked.stream, rid)
        exchange = Exchange(request, rid, route, snapshot, client, asked, policy, span)
        self.metrics.active_streams.inc()
        try:
            return await self._exchange(exchange)
        except BaseException as error:
            _note(exchange, error)
            raise
        finally:
            self.metrics.active_streams.dec()
            tell(exchange, self.metrics, self._audit)

    async def _exchange(self, exchange: Exchange) -> web.StreamResponse:
        guarded = exchange.policy.defense is not None
        if guarded:
            close_channels(exchange.asked, exchange.route)
        restored = await self.turns.restore(exchange.asked.body, exchange.client.tenant)
        self.metrics.restored.inc(restored.hits)
        for reason, count in restored.misses.items():
            self.metrics.restore_misses.labels(reason).inc(count)
        answer = await self.engine.ask(
            "POST", exchange.route, self._headers(exchange), exchange.asked.wire, lambda: _retried(exchange)
        )
        try:
            exchange.status = answer.status
            if answer.status != 200:
                return await self._failed(exchange, answer)
            return await self._answer(exchange, answer, guarded)
        finally:
            answer.close()

    def _headers(self, exchange: Exchange) -> list[tuple[str, str]]:
        trace = exchange.span.trace_headers()
        own = {
            "accept-encoding": "identity",
            "content-type": "application/json",
            "x-request-id": exchange.request_id,
            **dict(trace),
        }
        return exchange.snapshot.credentials.apply(engine_headers(exchange.request.headers.items(), own))

    async def _answer(self, exchange: Exchange, answer: Answer, guarded: bool) -> web.StreamResponse:
        kind = answer.content_type
        headers = {**kept_headers(answer), "x-request-id": exchange.request_id}
        if kind in STREAM_TYPES:
            response = web.StreamResponse(headers={**headers, **STREAM_HEADERS, "Content-Type": stream_type(answer)})
            if not guarded:
                return await Relay(exchange, self.turns, Verbatim(), response).run(answer)
            stream = self._routes[exchange.route].stream_of(kind)(exchange.context(self._marked_models))
            try:
                return await Relay(exchange, self.turns, stream, response).run(answer)
            finally:
                exchange.events = stream.events
                if stream.failure is not None:
                    _note(exchange, stream.failure)
                self._learn(exchange, stream.marked)
        if kind != "application/json":
            raise UpstreamGarbage("a response of a type that is neither JSON nor a stream of events")
        body = await self._whole(exchange, answer, guarded)
        return web.Response(body=body, headers=headers, content_type="application/json")

    async def _whole(self, exchange: Exchange, answer: Answer, guarded: bool) -> bytes:
        limits = exchange.snapshot.settings.limits
        data = await read_answer(answer, limits.max_response_bytes, limits.idle_seconds)
        if not guarded:
            return data
        try:
            whole = self._routes[exchange.route].whole(exchange.context(self._marked_models), data)
        except DefenseError as error:
            _note(exchange, error)
            raise Refused(502, "guard_failed", "the reasoning could not be guarded.") from error
        exchange.events = 1
        exchange.waits.clear()  # nothing was on its way
        for part in whole.remembers:
            token = await self.turns.remember(part.original, part.guarded, exchange.client.tenant, part.carried)
            part.render(token)
        self._learn(exchange, whole.marked)
        return whole.render()

    def _learn(self, exchange: Exchange, marked: bool) -> None:
        """Remembers that a model marks its reasoning, so that its answers need not wait for a delimiter."""
        if marked and len(self._marked_models) < 1000:
            self._marked_models.add(exchange.asked.model)

    async def _failed(self, exchange: Exchange, answer: Answer) -> web.Response:
        """An error of the engine, without its words."""
        body = b""
        try:
            async with asyncio.timeout(10):
                body = await answer.content.read(_ERROR_BYTES)
        except (aiohttp.ClientError, OSError, TimeoutError):
            pass
        exchange.outcome, exchange.error = "upstream_error", "status"
        status = answer.status if 400 <= answer.status < 600 else 502
        headers = {**kept_headers(answer), "x-request-id": exchange.request_id}
        return error_response(exchange.route, status, failures.from_engine(status, body), headers)


def _retried(exchange: Exchange) -> None:
    exchange.retries += 1


def _note(exchange: Exchange, error: BaseException) -> None:
    """What the outcome of a request is after this error."""
    exchange.error = type(error).__name__
    if isinstance(error, Refused):
        exchange.outcome, exchange.status = "failed" if error.status == 502 else "refused", error.status
    elif isinstance(error, UpstreamError):
        exchange.outcome, exchange.status = "upstream_error", exchange.status or error.status
    elif isinstance(error, (asyncio.CancelledError, *CLIENT_GONE)):
        exchange.outcome = "client_gone"
    else:
        exchange.outcome = "failed"
