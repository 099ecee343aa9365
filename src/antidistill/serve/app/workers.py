"""Several processes that accept from one socket; one that dies is started again."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable

from antidistill.serve.operations import log

_PAUSE = 1.0


def run_workers(count: int, work: Callable[[int], None]) -> None:
    """Runs `work(number)` in `count` processes until SIGTERM or SIGINT; SIGHUP is passed on.

    Must be called before an event loop or a thread is started.

    Args:
        count: processes.
        work: what each of them does; number 0 also serves the metrics of all.
    """
    workers: dict[int, int] = {}
    stopping = False

    def tell(number: int, frame: object) -> None:
        nonlocal stopping
        stopping = stopping or number != signal.SIGHUP
        for process in workers:
            os.kill(process, number)

    for number in range(count):
        workers[_fork(number, work)] = number
    for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signal_number, tell)
    while workers:
        try:
            process, status = os.wait()
        except InterruptedError:
            continue
        dead = workers.pop(process, None)
        if dead is not None and not stopping:
            log("worker died: another one starts", status=os.waitstatus_to_exitcode(status))
            time.sleep(_PAUSE)
            workers[_fork(dead, work)] = dead


def _fork(number: int, work: Callable[[int], None]) -> int:
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signal_number, signal.SIG_DFL)
        work(number)
        code = 0
    finally:
        os._exit(code)


def share_metrics() -> None:
    """Makes the folder in which the processes share their numbers; before the metrics are imported."""
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="antidistill-metrics-"))
