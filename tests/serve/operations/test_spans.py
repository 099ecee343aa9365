"""Spans: the names of the conventions, the caller's trace, no text, and nothing without the SDK."""

import subprocess
import sys
import textwrap

import pytest

from antidistill.serve.operations import Spans

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def recorded():
    pytest.importorskip("opentelemetry.sdk", reason="needs the extra otel")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


def test_a_span_has_the_names_of_the_conventions_and_belongs_to_the_callers_trace(recorded):
    provider, exporter = recorded
    span = Spans(provider, server="engine.local").start([("Traceparent", PARENT)], "qwen3", True, "r1")
    ((name, value),) = span.trace_headers()
    assert (name, value[:35]) == ("traceparent", PARENT[:35])
    assert value != PARENT
    span.first_chunk()
    span.usage(input=9, output=812, reasoning=640)
    span.end(finish_reasons=["stop"])
    (done,) = exporter.get_finished_spans()
    assert (done.name, done.kind.name, f"{done.parent.span_id:x}") == ("chat qwen3", "CLIENT", "b7ad6b7169203331")
    attributes = dict(done.attributes)
    assert attributes.pop("gen_ai.response.time_to_first_chunk") >= 0
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "qwen3",
        "gen_ai.request.stream": True,
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 812,
        "gen_ai.usage.reasoning.output_tokens": 640,
        "gen_ai.response.finish_reasons": ("stop",),
        "server.address": "engine.local",
        "antidistill.request.id": "r1",
    }


def test_a_failure_is_a_type_and_no_message(recorded):
    provider, exporter = recorded
    Spans(provider).start([], "m", False, "r1").end(error="UpstreamReset")
    (done,) = exporter.get_finished_spans()
    assert (done.attributes["error.type"], done.status.status_code.name) == ("UpstreamReset", "ERROR")
    assert done.status.description is None
    assert done.events == ()


def test_without_spans_everything_is_a_no_op():
    span = Spans(enabled=False).start([("traceparent", PARENT)], "m", True, "r1")
    assert span.trace_headers() == []
    span.first_chunk()
    span.usage(input=1)
    span.end("Error")


def test_the_sdk_is_not_needed():
    script = textwrap.dedent("""
        import sys
        sys.modules["opentelemetry"] = None
        from antidistill.serve.operations import Spans
        print(Spans().start([], "m", True, "r").trace_headers())
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
