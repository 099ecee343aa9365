"""OpenTelemetry spans of requests, by the conventions for generative AI; nothing where the SDK is not installed or not set up.

Names: open-telemetry/semantic-conventions-genai (in development), written out here because the constants of the Python package
are deprecated. No span holds text: `gen_ai.output.messages` and its kin are never set.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

_OPERATION = "chat"
_UNKNOWN = "_OTHER"


class Spans:
    """Makes spans.

    Args:
        provider: tracer provider; None: the one that the process has set up, if any.
        engine: `gen_ai.provider.name`.
        server: host of the engine.
        enabled: False: no spans, whatever is installed.
    """

    def __init__(self, provider: Any = None, engine: str = "openai", server: str = "", enabled: bool = True) -> None:
        self._tracer: Any = None
        self._attributes = {
            "gen_ai.operation.name": _OPERATION,
            "gen_ai.provider.name": engine,
            "server.address": server,
        }
        if not enabled:
            return
        try:
            from opentelemetry import trace
        except ImportError:
            return
        self._tracer = trace.get_tracer("antidistill", tracer_provider=provider)

    def start(self, headers: Iterable[tuple[str, str]], model: str, stream: bool, request_id: str) -> Span:
        """Begins the span of one request; its parent is the caller's, if `headers` name one."""
        if self._tracer is None:
            return Span(None)
        from opentelemetry import trace
        from opentelemetry.propagate import extract

        attributes = {
            **self._attributes,
            "gen_ai.request.model": model or _UNKNOWN,
            "gen_ai.request.stream": stream,
            "antidistill.request.id": request_id,
        }
        return Span(
            self._tracer.start_span(
                f"{_OPERATION} {model}".strip(),
                context=extract({name.lower(): value for name, value in headers}),
                kind=trace.SpanKind.CLIENT,
                attributes=attributes,
            )
        )


class Span:
    """The span of one request."""

    __slots__ = ("_began", "_seen", "_span")

    def __init__(self, span: Any) -> None:
        self._span = span
        self._began = time.monotonic()
        self._seen = False

    def trace_headers(self) -> list[tuple[str, str]]:
        """`traceparent` and its kin for the engine; empty without a span, and the caller's own are passed on."""
        if self._span is None:
            return []
        from opentelemetry import trace
        from opentelemetry.propagate import inject

        carrier: dict[str, str] = {}
        inject(carrier, context=trace.set_span_in_context(self._span))
        return list(carrier.items())

    def first_chunk(self) -> None:
        """The first byte of reasoning or answer has left."""
        if self._span is not None and not self._seen:
            self._seen = True
            self._span.set_attribute("gen_ai.response.time_to_first_chunk", time.monotonic() - self._began)

    def usage(self, **tokens: int | None) -> None:
        """Tokens as the engine counted them: `input`, `output`, `reasoning`."""
        names = {"input": "input_tokens", "output": "output_tokens", "reasoning": "reasoning.output_tokens"}
        for name, count in tokens.items():
            if self._span is not None and count is not None:
                self._span.set_attribute(f"gen_ai.usage.{names[name]}", count)

    def end(self, error: str = "", finish_reasons: Iterable[str] = ()) -> None:
        """Ends the span.

        Args:
            error: name of a class or status, empty if all went well; never a message.
            finish_reasons: as the engine named them.
        """
        if self._span is None:
            return
        from opentelemetry.trace import Status, StatusCode

        reasons = list(finish_reasons)
        if reasons:
            self._span.set_attribute("gen_ai.response.finish_reasons", reasons)
        if error:
            self._span.set_attribute("error.type", error)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()
