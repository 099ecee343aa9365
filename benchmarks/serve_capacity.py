"""Streams per core: how many streams of 50 events a second one core carries, in our proxy and in LiteLLM with the same guard.

The proxy has a core of its own, engine and client have the other. A way carries a number of streams if 95 % of the events come
through within 50 ms, while the engine sends what is due. Of steps of about a fifth, the largest number that is carried is found
anew for each way in every round. Prints JSON.

    python benchmarks/serve_capacity.py            # needs `make litellm`; about 15 minutes
"""

import argparse
import json
import os
from collections.abc import Callable, Sequence

import machine
import serve

STEPS = (
    4,
    5,
    6,
    8,
    10,
    12,
    14,
    17,
    20,
    24,
    29,
    35,
    42,
    50,
    60,
    72,
    86,
    104,
    125,
    150,
    180,
    216,
    260,
    312,
    374,
    449,
    539,
    647,
)
LATEST_MS = 50
SENT = 0.97


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ways", default="bare,guard,litellm")
    parser.add_argument("--seconds", type=float, default=8, help="a text of the load repeats after 4")
    parser.add_argument("--warm-up", type=float, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {1})
    settings = argparse.Namespace(
        pace=50, together=False, seconds=arguments.seconds, warm_up=arguments.warm_up, proxy_cores="0", load_cores="1"
    )
    ways = arguments.ways.split(",")
    tried: dict[str, list[dict[int, dict[str, float]]]] = {way: [] for way in ways}
    carried: dict[str, list[int]] = {way: [] for way in ways}
    for _ in range(arguments.repeats):
        for way in ways:
            most, runs = _most(way, settings)
            carried[way].append(most)
            tried[way].append(runs)
    ratios = {
        f"guard / {way}": serve.spread([a / b for a, b in zip(carried["guard"], carried[way], strict=True)])
        for way in ways
        if way != "guard"
    }
    print(
        json.dumps(
            {**vars(arguments), "streams": carried, **ratios, "tried": tried, "machine": machine.describe()}, indent=1
        )
    )


def _most(way: str, settings: argparse.Namespace) -> tuple[int, dict[int, dict[str, float]]]:
    """The largest step that is carried (0: none), and the runs that say so."""
    runs: dict[int, dict[str, float]] = {}

    def carries(streams: int) -> bool:
        settings.streams = streams
        row = serve.run(way, settings)
        runs[streams] = {name: round(value, 2) for name, value in row.items()}
        return is_carried(row)

    return largest(STEPS, carries, 4), runs


def is_carried(row: dict[str, float]) -> bool:
    """Whether a run of `serve.run` was no more than its way can carry."""
    return row["sent_share"] >= SENT and row["p95_ms"] <= LATEST_MS


def largest(steps: Sequence[int], carries: Callable[[int], bool], stride: int) -> int:
    """The largest step that is carried; 0: none.

    From below, `stride` steps at a time: a way that is given far too much takes minutes to come to itself.
    """
    low, high = -1, len(steps)
    for place in range(stride - 1, len(steps), stride):
        if not carries(steps[place]):
            high = place
            break
        low = place
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if carries(steps[middle]) else (low, middle)
    return steps[low] if low >= 0 else 0


if __name__ == "__main__":
    main()
