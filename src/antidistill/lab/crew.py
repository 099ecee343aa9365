"""Runs tasks in this process or in several, each with one thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from antidistill.processes import end_with_parent


class Crew:
    """Runs tasks: in this process, or in several."""

    def __init__(self, pool: ProcessPoolExecutor | None) -> None:
        self._pool = pool

    def all(self, tasks: Iterable[tuple[Any, ...]]) -> None:
        """Runs all tasks; the first error ends the run, what is finished stays."""
        if self._pool is None:
            for task, *arguments in tasks:
                task(*arguments)
            return
        waiting: list[Future[Any]] = [self._pool.submit(task, *arguments) for task, *arguments in tasks]
        try:
            for future in as_completed(waiting):
                future.result()
        except BaseException:
            self._pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def crew(jobs: int) -> Iterator[Crew]:
    """Processes with one thread each: models this small gain nothing from a second one."""
    if jobs == 1:
        _one_thread()
        yield Crew(None)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin) as pool:
        yield Crew(pool)


def _begin() -> None:
    end_with_parent()
    _one_thread()


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
