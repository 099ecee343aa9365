"""What is told about a request when it has ended: metrics, a log line, a row of the audit log. Never its text."""

from __future__ import annotations

import logging
import time
from collections import Counter

from antidistill.errors import AntidistillError
from antidistill.serve.app.exchange import Exchange
from antidistill.serve.audit import AuditLog
from antidistill.serve.operations import Metrics, log

_KINDS = {"UpstreamGone": "reset", "UpstreamStalled": "stall", "UpstreamGarbage": "garbage", "status": "status"}


def tell(exchange: Exchange, metrics: Metrics, audit: AuditLog | None) -> None:
    """Tells about a request that has ended, and has its texts forgotten."""
    _count(exchange, metrics)
    if audit is not None:
        try:
            audit.write(
                request_id=exchange.request_id,
                tenant=exchange.client.tenant,
                route=exchange.route,
                policy=exchange.policy.hash,
                outcome=exchange.outcome,
                texts=exchange.texts(),
            )
        except AntidistillError as error:
            log("audit failure", logging.ERROR, error, request_id=exchange.request_id)
    exchange.span.end("" if exchange.outcome == "ok" else exchange.outcome)
    log(
        "request",
        logging.INFO if exchange.outcome in {"ok", "client_gone", "refused"} else logging.WARNING,
        request_id=exchange.request_id,
        route=exchange.route,
        client=exchange.client.fingerprint,
        tenant=exchange.client.tenant,
        policy=exchange.policy.name,
        stream=exchange.asked.stream,
        status=exchange.status or None,
        code=exchange.outcome,
        reason=exchange.error or next((lane.failure for lane in exchange.lanes if lane.failure), None),
        events=exchange.events,
        retries=exchange.retries or None,
        seconds=round(time.monotonic() - exchange.began, 4),
        ttft=round(exchange.first - exchange.began, 4) if exchange.first else None,
    )
    exchange.forget()


def _count(exchange: Exchange, metrics: Metrics) -> None:
    metrics.request(exchange.route, exchange.policy.name, exchange.asked.stream, exchange.outcome)
    edits: Counter[str] = Counter()
    removed = 0
    for lane in exchange.lanes:
        edits.update(edit.reason for edit in lane.edits)
        removed += sum(edit.end - edit.start for edit in lane.edits)
        if lane.failed:
            metrics.defense_failures.labels(exchange.policy.on_failure.value).inc()
    for reason, count in edits.items():
        metrics.edits.labels(reason).inc(count)
    metrics.removed_characters.inc(removed)
    metrics.dropped_fields.inc(exchange.asked.dropped)
    metrics.retries.inc(exchange.retries)
    if exchange.outcome == "upstream_error":
        metrics.upstream_errors.labels(_KINDS.get(exchange.error, "reset")).inc()
    if exchange.first:
        metrics.ttft_seconds.observe(exchange.first - exchange.began)
    for seconds in exchange.waits:
        metrics.hold_seconds.observe(seconds)
    if exchange.events:
        metrics.overhead_seconds.observe(exchange.busy / exchange.events)
