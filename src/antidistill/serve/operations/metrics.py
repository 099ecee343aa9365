"""Metrics for Prometheus, on a port of their own. No label holds text, a key or a name that a client can choose."""

from __future__ import annotations

import os
from collections.abc import Callable

from antidistill.errors import MissingExtra, OutputError
from antidistill.serve.policies import ROUTES

try:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
except ImportError as error:  # pragma: no cover
    raise MissingExtra("the server", "prometheus_client", "serve") from error

_SHORT = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_HOLDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_LONG = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""Variable that names the folder in which several workers share their numbers; set before this module is imported."""


def forget_process(pid: int) -> None:
    """A worker has ended: what it said of its present state no longer holds; what it counted stays."""
    if MULTIPROCESS in os.environ:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


class Metrics:
    """What the server counts, as attributes.

    Attributes:
        requests: by route, policy, stream (true, false) and outcome (ok, refused, client_gone, upstream_error, failed).
        edits: by reason of the edit.
        removed_characters: that were cut; replaced ones count.
        overhead_seconds: that an event of the engine spends here.
        hold_seconds: in which text of a stream came and nothing left, each time.
        ttft_seconds: from the request to the first byte of reasoning or answer.
        upstream_errors: by kind (refused, reset, stall, status, garbage, too_large).
        retries: further attempts before the first byte.
        active_streams: under way.
        restored, restore_misses: texts of earlier turns; misses by reason.
        defense_failures: by what left then (drop-reasoning, fail, pass).
        dropped_fields: fields of requests that are not known and did not reach the engine.
        store_failures: the store of originals did not answer.
        policy: 1 for the hash of the policies in force.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counters = {
            "requests": ("Requests", ("route", "policy", "stream", "outcome")),
            "edits": ("Edits of reasoning", ("reason",)),
            "removed_characters": ("Characters of reasoning that were cut", ()),
            "upstream_errors": ("Failures of the engine", ("kind",)),
            "retries": ("Further attempts to reach the engine", ()),
            "restored": ("Texts of earlier turns that were restored", ()),
            "restore_misses": ("Texts of earlier turns that were passed on as they came", ("reason",)),
            "defense_failures": ("Failures of a defense", ("then",)),
            "dropped_fields": ("Unknown fields of requests that did not reach the engine", ()),
            "store_failures": ("Failures of the store of originals", ()),
        }
        for name, (told, labels) in counters.items():
            setattr(self, name, Counter(f"antidistill_{name}", told, labels, registry=self.registry))
        for name, told, buckets in (
            ("overhead_seconds", "Time that an event spends in the server", _SHORT),
            ("hold_seconds", "Time in which text came and nothing left", _HOLDS),
            ("ttft_seconds", "Time to the first byte of reasoning or answer", _LONG),
        ):
            setattr(self, name, Histogram(f"antidistill_{name}", told, buckets=buckets, registry=self.registry))
        self.active_streams = Gauge(
            "antidistill_active_streams", "Under way", registry=self.registry, multiprocess_mode="livesum"
        )
        self.policy = Gauge(
            "antidistill_policy_info",
            "Policies in force",
            ("hash",),
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._hash = ""

    requests: Counter
    edits: Counter
    removed_characters: Counter
    upstream_errors: Counter
    retries: Counter
    restored: Counter
    restore_misses: Counter
    defense_failures: Counter
    dropped_fields: Counter
    store_failures: Counter
    hold_seconds: Histogram
    overhead_seconds: Histogram
    ttft_seconds: Histogram

    def request(self, route: str, policy: str, stream: bool, outcome: str) -> None:
        """Counts a request that has ended."""
        known = route if route in ROUTES else "other"
        self.requests.labels(known, policy, str(stream).lower(), outcome).inc()

    def use_policy(self, policy_hash: str) -> None:
        """Tells which policies are in force."""
        if self._hash and self._hash != policy_hash:
            self.policy.labels(self._hash).set(0)
        self._hash = policy_hash
        self.policy.labels(policy_hash).set(1)

    def serve(self, host: str, port: int) -> Callable[[], None]:
        """Answers `/metrics` on a thread of its own until the returned function is called.

        With several workers, one process serves the numbers of all of them; see `MULTIPROCESS`.

        Raises:
            OutputError: the port is taken, or may not be opened.
        """
        registry = self.registry
        if MULTIPROCESS in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        try:
            server, thread = start_http_server(port, host, registry)
        except OSError as error:
            raise OutputError(
                f"metrics cannot be served on {host}:{port} ({error.strerror}): choose another --metrics-port."
            ) from error

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop
