"""Metrics: on their own port, without labels that a client can choose, and summed over workers."""

import subprocess
import sys
import textwrap
import urllib.request

import pytest

pytest.importorskip("prometheus_client", reason="needs the extra serve")

import socket

from prometheus_client.parser import text_string_to_metric_families

from antidistill.errors import OutputError
from antidistill.serve.operations import Metrics


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def scraped(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, *sorted(sample.labels.items())): sample.value for sample in samples}


def test_numbers_are_served_until_they_are_stopped():
    metrics = Metrics()
    metrics.request("/v1/messages", "default", True, "ok")
    metrics.request("/v1/messages", "default", True, "ok")
    metrics.request("/chosen/by/a/client", "default", False, "refused")
    metrics.overhead_seconds.observe(0.003)
    metrics.active_streams.inc()
    metrics.restore_misses.labels("unknown").inc(3)
    port = free_port()
    stop = metrics.serve("127.0.0.1", port)
    found = scraped(port)
    labels = (("outcome", "ok"), ("policy", "default"), ("route", "/v1/messages"), ("stream", "true"))
    assert found["antidistill_requests_total", *labels] == 2
    assert found["antidistill_overhead_seconds_bucket", ("le", "0.005")] == 1
    assert found["antidistill_overhead_seconds_bucket", ("le", "0.002")] == 0
    assert found["antidistill_active_streams",] == 1
    assert found["antidistill_restore_misses_total", ("reason", "unknown")] == 3
    assert not any("chosen" in str(name) for name in found)
    stop()
    with pytest.raises(OSError):
        scraped(port)


def test_the_policy_in_force_is_the_one_with_1():
    metrics = Metrics()
    metrics.use_policy("aa")
    metrics.use_policy("bb")
    value = metrics.registry.get_sample_value
    assert (value("antidistill_policy_info", {"hash": "aa"}), value("antidistill_policy_info", {"hash": "bb"})) == (
        0,
        1,
    )


def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OutputError, match="metrics cannot be served on 127.0.0.1"):
            Metrics().serve("127.0.0.1", taken.getsockname()[1])


def test_the_numbers_of_several_workers_are_summed(tmp_path):
    worker = textwrap.dedent("""
        from antidistill.serve.operations import Metrics
        metrics = Metrics()
        metrics.use_policy("aa")
        metrics.request("/v1/messages", "default", True, "ok")
        metrics.ttft_seconds.observe(0.3)
    """)
    reader = worker + textwrap.dedent("""
        import sys, urllib.request
        stop = metrics.serve("127.0.0.1", int(sys.argv[1]))
        print(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/metrics").read().decode())
        stop()
    """)
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PATH": ""}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", worker], env=environment, check=True)
    run = [sys.executable, "-c", reader, str(free_port())]
    text = subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout
    found = {s.name: s.value for family in text_string_to_metric_families(text) for s in family.samples}
    assert found["antidistill_requests_total"] == 3
    assert found["antidistill_ttft_seconds_count"] == 3
    assert found["antidistill_policy_info"] == 1
