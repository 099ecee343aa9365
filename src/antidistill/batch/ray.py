"""Runs chunks on a Ray cluster with Ray Data; results come in the order of the input, as from `local`.

What travels to the workers is where rows are, not the rows; so the input has to be on a file system that all nodes see. What
travels back is what the output files hold. The driver writes the files.
"""

from __future__ import annotations

import functools
import logging
import os
import pickle
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

import orjson

from antidistill.batch.chunks import Chunk, is_referable, shard_chunks
from antidistill.batch.kernel import Kernel
from antidistill.batch.local import Results
from antidistill.batch.results import Cursor, Done, Tally
from antidistill.batch.work import Work
from antidistill.errors import MissingExtra


def require_ray() -> None:
    """Raises MissingExtra if Ray is not installed."""
    if find_spec("ray") is None:
        raise MissingExtra("--engine ray", "ray", "ray")


class _Unit(NamedTuple):
    """A task: one chunk, or the rest of a shard that has to be read from its beginning."""

    shard: int
    chunk: Chunk | None


def run_on_ray(work: Work) -> Results:
    """Guards on Ray; connects to the cluster that the environment names, or starts one on this machine."""
    import ray

    if not ray.is_initialized():
        dashboard = None if "RAY_ADDRESS" in os.environ else False
        ray.init(include_dashboard=dashboard, log_to_driver=False, logging_level=logging.WARNING)
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    units = [{"unit": pickle.dumps(unit)} for unit in _units(work)]  # bytes need no detour through objects
    if not units:
        return
    dataset = ray.data.from_items(units, override_num_blocks=len(units))
    for record in dataset.flat_map(functools.partial(_guard, work=work)).iter_rows():
        yield _from_record(record)


def _units(work: Work) -> Iterator[_Unit]:
    for shard in range(work.start.shard, len(work.shards)):
        if is_referable(work, shard):
            yield from (_Unit(shard, chunk) for chunk in shard_chunks(work, shard, by_reference=True))
        else:
            yield _Unit(shard, None)


def _guard(item: dict[str, bytes], work: Work) -> Iterator[dict[str, Any]]:
    shard, chunk = pickle.loads(item["unit"])
    kernel = _kernel(work)
    for part in [chunk] if chunk else shard_chunks(work, shard, by_reference=False):
        yield _to_record(part.after, kernel(part))


@functools.lru_cache(maxsize=2)
def _kernel(work: Work) -> Kernel:
    return Kernel(work)


def _to_record(after: Cursor, done: Done) -> dict[str, Any]:
    return {
        "after": list(after),
        "out": bytes(done.out),
        "ledger": done.ledger,
        "rejected": done.rejected,
        "tally": orjson.dumps(done.tally.to_json()),
        "footer": done.footer,
    }


def _from_record(record: dict[str, Any]) -> tuple[Cursor, Done]:
    tally = Tally.from_json(orjson.loads(record["tally"]))
    done = Done(record["out"], record["ledger"], record["rejected"], tally, record["footer"])
    return Cursor(*map(int, record["after"])), done
