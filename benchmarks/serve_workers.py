"""Whether worker processes scale: how many streams of 50 events a second one, two and three workers carry.

More workers need more cores than a small machine has for them and the load. So each worker is a slow machine of its own: a
control group of the kernel gives it a quarter of a core, in slices of 10 ms. All workers share one core and the port, engine
and client have the other core. A number of streams is carried if 95 % of the events come through within 50 ms, while the engine
sends what is due; of steps of 6 %, the largest that is carried is found anew for each number of workers in every round. Prints
JSON: streams of each round, and how many times those of one worker they are. `busiest` is the largest share of the processor
time that one of the workers had in the largest run that was carried: an even share is 1 / workers.

    sudo python benchmarks/serve_workers.py        # needs control groups, version 1; about 20 minutes
"""

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import machine
import serve
import serve_capacity
from processes import cpu_seconds, family

CONTROL = Path("/sys/fs/cgroup/cpu")
PERIOD_US = 10_000
STEPS = [round(60 * 1.06**place) for place in range(40)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--share", type=float, default=0.25, help="of a core, for each worker")
    parser.add_argument("--seconds", type=float, default=8, help="a text of the load repeats after 4")
    parser.add_argument("--warm-up", type=float, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if not os.access(CONTROL / "cgroup.procs", os.W_OK):
        parser.error(f"{CONTROL} is missing: this needs control groups of version 1, and the right to write to them")
    os.sched_setaffinity(0, {1})
    rounds = [{count: _most(count, arguments) for count in arguments.workers} for _ in range(arguments.repeats)]
    report = {
        f"{count} workers": {
            "streams": [one[count]["streams"] for one in rounds],
            "times one": serve.spread([one[count]["streams"] / one[1]["streams"] for one in rounds]),
            "busiest": [round(one[count]["busiest"], 3) for one in rounds],
            "p95_ms": [round(one[count]["p95_ms"], 1) for one in rounds],
        }
        for count in arguments.workers
    }
    print(json.dumps({**vars(arguments), **report, "machine": machine.describe()}, indent=1))


def _most(workers: int, arguments: argparse.Namespace) -> dict[str, float]:
    """The largest run that was carried."""
    runs: dict[int, dict[str, float]] = {}

    def carries(streams: int) -> bool:
        runs[streams] = _run(workers, streams, arguments)
        return serve_capacity.is_carried(runs[streams])

    most = serve_capacity.largest(STEPS, carries, 8)
    if not most:
        raise RuntimeError(f"{workers} workers do not even carry {STEPS[0]} streams: give them a larger --share")
    return runs[most]


def _run(workers: int, streams: int, arguments: argparse.Namespace) -> dict[str, float]:
    """One run: as `serve.run`, with the number of streams and the largest share of a worker."""
    used: list[float] = []

    @contextmanager
    def slow(process: int) -> Iterator[None]:
        each = family(process)[1:] or [process]
        with _limited(each, arguments.share):
            before = [cpu_seconds(pid) for pid in each]
            yield
            used.extend(cpu_seconds(pid) - start for pid, start in zip(each, before, strict=True))

    settings = argparse.Namespace(
        pace=50, together=False, seconds=arguments.seconds, warm_up=arguments.warm_up, proxy_cores="0", streams=streams
    )
    row = serve.run(f"guard-{workers}", settings, slow)
    return {**row, "streams": streams, "busiest": max(used) / sum(used)}


@contextmanager
def _limited(pids: list[int], share: float) -> Iterator[None]:
    """Gives each process a control group of its own, with so much of a core; the processes have ended at the end."""
    groups = [CONTROL / f"antidistill-{pid}" for pid in pids]
    for pid, group in zip(pids, groups, strict=True):
        group.mkdir()
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(int(share * PERIOD_US)))
        (group / "cgroup.procs").write_text(str(pid))
    try:
        yield
    finally:
        for pid, group in zip(pids, groups, strict=True):
            if Path(f"/proc/{pid}").exists():
                (CONTROL / "cgroup.procs").write_text(str(pid))
            group.rmdir()


if __name__ == "__main__":
    main()
