"""CPU and added latency of the reverse proxy, beside nothing, a bare aiohttp pass-through and LiteLLM with the same guard.

An engine process streams shared traces at a fixed pace, a client process reads them, and one way at a time stands between; the
ways take turns, so that what else runs on the machine hits them alike. The processor time of the way's own processes is divided
by the events that came through meanwhile; setting up the streams does not count. The latency is the time from an event's stamp
in the engine to the client, over events of answers, which nothing holds. Ratios are those of the runs of one round. Prints JSON.

    python benchmarks/serve.py                                                    # ours and a bare pass-through
    python benchmarks/serve.py --streams 8 --ways bare,guard,litellm-bare,litellm # needs `make litellm`
    python benchmarks/serve.py --streams 300 --proxy-cores 0 --load-cores 1       # the proxy has a core of its own
    python benchmarks/serve.py --streams 500 --ways direct,guard,guard-2          # two worker processes
"""

import argparse
import json
import multiprocessing
import os
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from statistics import median

import machine
import serve_load
import serve_ways
from processes import cpu_seconds, family


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ways", default="direct,bare,guard", help="see serve_ways.running")
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--pace", type=float, default=50, help="events per second of each stream")
    parser.add_argument("--together", action="store_true", help="all streams send at the same moments")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--warm-up", type=float, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--proxy-cores", default="", help="cores of the proxy, such as 0; empty: all")
    parser.add_argument("--load-cores", default="", help="cores of engine and client")
    arguments = parser.parse_args()
    ways = arguments.ways.split(",")
    rows: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    if arguments.load_cores:
        os.sched_setaffinity(0, _cores(arguments.load_cores))
    for _ in range(arguments.repeats):
        for way in ways:
            rows[way].append(run(way, arguments))
    report = {way: {name: [round(row[name], 2) for row in runs] for name in runs[0]} for way, runs in rows.items()}
    print(json.dumps({**vars(arguments), **report, **_compared(rows), "machine": machine.describe()}, indent=2))


def run(
    way: str, arguments: argparse.Namespace, around: Callable[[int], AbstractContextManager[object]] = nullcontext
) -> dict[str, float]:
    """One run of one way: processor time of an event, shares of the events that were sent and that came through, delays.

    Args:
        way: see `serve_ways.running`.
        arguments: those of `main`.
        around: entered with the id of the way's process while the load is on.
    """
    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    sent = serve_load.counter()
    engine = multiprocessing.get_context("fork").Process(
        target=serve_load.run_engine, args=(sock, arguments.pace, arguments.together, sent), daemon=True
    )
    engine.start()
    cores = _cores(arguments.proxy_cores)
    with serve_ways.running(way, sock.getsockname()[1], cores) as (port, process), around(process):

        def mark() -> tuple[int, float]:
            return sent.value, sum(map(cpu_seconds, family(process)))

        first, last, delays = serve_load.run_client(port, arguments.streams, arguments.warm_up, arguments.seconds, mark)
    engine.terminate()
    engine.join()
    events, used = 4 * len(delays), last[1] - first[1]  # every fourth event is stamped, and none of these is cut
    if not delays:
        raise RuntimeError(f"no stamp came through {way}: give more --warm-up")
    row = {f"p{place}_ms": 1e3 * delays[int(len(delays) * place / 100)] for place in (50, 95, 99)}
    due = arguments.streams * arguments.pace * arguments.seconds
    shares = {"sent_share": (last[0] - first[0]) / due, "delivered_share": events / due}
    return {"cpu_us": 1e6 * used / events, **shares, **row}


def _cores(said: str) -> set[int]:
    return {int(core) for core in said.split(",") if core}


def _compared(rows: dict[str, list[dict[str, float]]]) -> dict[str, object]:
    """Ratios of CPU, and latency added to that of the direct way, round by round: median, and the range of all rounds."""
    told: dict[str, object] = {}
    if "guard" in rows:
        for other in sorted({*rows} - {"direct", "guard"}):
            pair = ("guard", other) if other == "bare" else (other, "guard")
            told[f"{pair[0]} / {pair[1]}, CPU per event"] = spread(
                [a["cpu_us"] / b["cpu_us"] for a, b in zip(rows[pair[0]], rows[pair[1]], strict=True)]
            )
    if "direct" in rows:
        for way in [way for way in rows if way != "direct"]:
            both = list(zip(rows[way], rows["direct"], strict=True))
            for name in ("p50_ms", "p95_ms", "p99_ms"):
                told[f"{way}: {name} added"] = spread([own[name] - direct[name] for own, direct in both])
    return told


def spread(values: list[float]) -> dict[str, float | int]:
    """Median and range of the rounds."""
    return {
        "value": round(median(values), 2),
        "low": round(min(values), 2),
        "high": round(max(values), 2),
        "n": len(values),
    }


if __name__ == "__main__":
    main()
