"""Runs chunks on this machine: in this process, or in worker processes; results come in the order of the input."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeAlias

from antidistill.batch.chunks import Chunk, chunks
from antidistill.batch.kernel import Kernel
from antidistill.batch.results import Cursor, Done
from antidistill.batch.work import Work
from antidistill.errors import OutputError
from antidistill.processes import end_with_parent

Results: TypeAlias = Iterator[tuple[Cursor, Done]]
"""For each chunk, in order: where the next one begins, and what this one gave."""


def run_here(work: Work) -> Results:
    """Guards in this process."""
    kernel = Kernel(work)
    for chunk in chunks(work, by_reference=False):
        yield chunk.after, kernel(chunk)


def run_in_processes(work: Work, jobs: int) -> Results:
    """Guards in `jobs` processes; at most 2 `jobs` + 1 chunks are under way, so memory does not grow with the input.

    Raises:
        OutputError: a worker died.
    """
    context = multiprocessing.get_context("spawn")
    pending: deque[tuple[Cursor, Future[Done]]] = deque()
    with ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(work,)) as pool:
        try:
            for chunk in chunks(work, by_reference=True):
                pending.append((chunk.after, pool.submit(_work, chunk)))
                if len(pending) > 2 * jobs:
                    yield _finished(*pending.popleft())
            while pending:
                yield _finished(*pending.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def _finished(after: Cursor, future: Future[Done]) -> tuple[Cursor, Done]:
    try:
        return after, future.result()
    except BrokenProcessPool as error:
        raise OutputError(
            "a worker process died (out of memory?): what is finished is kept; run the same command with --resume "
            "and fewer --jobs."
        ) from error


_kernel: Kernel


def _begin(work: Work) -> None:
    """First call in a worker: it makes its kernel, leaves interrupts to its parent, and ends when its parent does."""
    global _kernel
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _kernel = Kernel(work)
    end_with_parent()


def _work(chunk: Chunk) -> Done:
    return _kernel(chunk)
