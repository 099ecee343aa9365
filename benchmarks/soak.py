"""Memory of the reverse proxy over a long time, with paced streams of every dialect.

The proxy is the real command in a process of its own, with store, tokens and audit log. Users ask it all the time: one answer in
ten is left in the middle, one in five does not stream, and one in three is followed by a second turn that sends the guarded
reasoning back. Answers that come to their end are compared with the engine's. The store of originals is small, so that it is full
soon. First the engine writes fast for some minutes: Python's allocator takes new pages as long as a request meets it in a state
that no request before did, which ends after some thousand requests, not after a time. Then it writes like a model, and the slope
is that of the samples from there on, with an interval of 95 % from a moving-block bootstrap.

    python benchmarks/soak.py --minutes 20 > benchmarks/soak.json
"""

import argparse
import asyncio
import json
import logging
import multiprocessing
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from aiohttp import web
from numpy.typing import NDArray

import antidistill as ad
import machine
from processes import cpu_seconds, free_port, resident_bytes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.serve.replay import CASES, read

from antidistill.serve.demo.engine import DemoEngine
from antidistill.serve.demo.scripts import words
from antidistill.trace import Trace

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "traces_gsm8k_4models.parquet"
SECONDS = 5.0
"""Between two samples."""
BLOCK = 12
"""Samples in a block of the bootstrap: a minute."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--users", type=int, default=6)
    parser.add_argument("--pace", type=float, default=50, help="events per second of each stream")
    parser.add_argument("--warm-up", type=float, default=4, help="minutes before these, in which the engine is fast")
    parser.add_argument("--warm-pace", type=float, default=1000, help="its events per second then")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    traces = list({trace.prompt: trace for trace in ad.read(SHARED) if _fits(trace)}.values())
    engine_port, port, metrics_port = free_port(), free_port(), free_port()
    fork = multiprocessing.get_context("fork")
    pace = fork.Value("d", arguments.warm_pace)
    engine = fork.Process(target=_engine, args=(traces, engine_port, pace), daemon=True)
    engine.start()
    with tempfile.TemporaryDirectory() as name:
        proxy = _start(Path(name), engine_port, port, metrics_port)
        try:
            report = asyncio.run(_run(traces, proxy.pid, port, pace, arguments)) | {"metrics": _metrics(metrics_port)}
        finally:
            proxy.terminate()
            proxy.wait()
            engine.terminate()
    print(json.dumps({**vars(arguments), **report, "machine": machine.describe()}, indent=2))


def _fits(trace: Trace) -> bool:
    """Whether a trace takes a few seconds, and holds nothing that could be a delimiter of its own."""
    return 40 < len(words(trace.reasoning)) < 400 and not any(sign in trace.reasoning + trace.answer for sign in "<◁[")


class Engine(DemoEngine):
    """A scripted engine whose pace can be changed while it runs."""

    def __init__(self, traces: list[Trace], pace: Any) -> None:
        self.pace = pace
        super().__init__(traces)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers at the pace of now."""
        self._pause = 1 / self.pace.value
        return await super().handle(request)


def _engine(traces: list[Trace], port: int, pace: Any) -> None:
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # clients that leave are part of the plan

    async def serve() -> None:
        runner = web.ServerRunner(web.Server(Engine(traces, pace).handle, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()

    asyncio.run(serve())


def _start(folder: Path, engine: int, port: int, metrics: int) -> "subprocess.Popen[bytes]":
    (folder / "guard.key").write_bytes(b"0123456789abcdef")
    policy = {
        "upstream": {"url": f"http://127.0.0.1:{engine}"},
        "key_file": str(folder / "guard.key"),
        "default": {"method": "traceguard", "options": {"k": 20}},
        "turns": {"mode": "both", "max_store_bytes": 300_000},
        "audit": {"file": str(folder / "audit.jsonl")},
    }
    (folder / "policy.yaml").write_text(json.dumps(policy))
    program = Path(sys.executable).with_name("antidistill")
    command = [str(program), "serve", "--config", str(folder / "policy.yaml"), "--ollama"]
    command += ["--port", str(port), "--metrics-port", str(metrics)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2)
            return process
        except OSError:
            time.sleep(0.2)


async def _run(traces: list[Trace], pid: int, port: int, pace: Any, arguments: argparse.Namespace) -> dict[str, object]:
    warm = 60 * arguments.warm_up
    until = time.monotonic() + warm + 60 * arguments.minutes
    done: Counter[str] = Counter()
    warmed: Counter[str] = Counter()
    samples: list[tuple[float, int, int]] = []
    began, cpu = time.monotonic(), cpu_seconds(pid)
    url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def watch() -> None:
            while time.monotonic() < until:
                if time.monotonic() - began > warm and pace.value != arguments.pace:
                    pace.value = arguments.pace
                    warmed.update(done)
                files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
                samples.append((time.monotonic() - began, resident_bytes(pid), files))
                await asyncio.sleep(SECONDS)

        users = [
            _user(session, url, traces, random.Random(arguments.seed * 1000 + n), until, done)
            for n in range(arguments.users)
        ]
        await asyncio.gather(watch(), *users)
    seconds = time.monotonic() - began
    table = np.array(samples)
    late = table[table[:, 0] >= warm]
    return {
        "requests": dict(sorted((done - warmed).items())),
        "requests_of_the_warm_up": dict(sorted(warmed.items())),
        "proxy_cpu_share_of_a_core": round((cpu_seconds(pid) - cpu) / seconds, 4),
        "slope_kb_per_minute": _slope(late[:, 0] / 60, late[:, 1] / 1e3, arguments.seed),
        "resident_mb_by_minute": [round(float(m), 2) for m in _by_minute(table[:, 0], table[:, 1] / 1e6)],
        "open_files_most_by_minute": [int(m) for m in _by_minute(table[:, 0], table[:, 2], np.max)],
    }


async def _user(
    session: aiohttp.ClientSession,
    url: str,
    traces: list[Trace],
    rng: random.Random,
    until: float,
    done: Counter[str],
) -> None:
    await asyncio.sleep(rng.uniform(0, 5))
    while time.monotonic() < until:
        (route, style), trace = rng.choice([case for case in CASES if case[1] != "summary"]), rng.choice(traces)
        kind = rng.choices(("left in the middle", "not streamed", "streamed"), (0.1, 0.2, 0.7))[0]
        ask = [{"role": "user", "content": trace.prompt}]
        try:
            shown = await _ask(session, url, route, style, ask, kind, rng)
            if kind == "streamed" and shown is not None:
                reasoning, answer = read(route, style, shown)
                done["answers as the engine's" if answer == trace.answer else "answers not as the engine's"] += 1
                if rng.random() < 1 / 3:
                    second = _second(route, ask, reasoning[0], answer)
                    await _ask(session, url, route, style, second, "second turn", rng)
                    done["second turn"] += 1
            done[kind] += 1
        except (aiohttp.ClientError, AssertionError, KeyError) as error:
            done[f"failed: {type(error).__name__}"] += 1
            await asyncio.sleep(1)


def _second(route: str, ask: list[Any], reasoning: str, answer: str) -> list[Any]:
    """The next turn, as clients of the route send it."""
    earlier: list[Any]
    if route == "/v1/messages":
        blocks = [{"type": "thinking", "thinking": reasoning, "signature": ""}, {"type": "text", "text": answer}]
        earlier = [{"role": "assistant", "content": blocks}]
    elif route == "/v1/responses":
        part = {"type": "reasoning_text", "text": reasoning}
        item = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [part]}
        earlier = [item, {"role": "assistant", "content": answer}]
    else:
        field = "thinking" if route == "/api/chat" else "reasoning_content"
        earlier = [{"role": "assistant", "content": answer, field: reasoning}]
    return [*ask, *earlier, {"role": "user", "content": "And twice as many?"}]


async def _ask(
    session: aiohttp.ClientSession, url: str, route: str, style: str, ask: object, kind: str, rng: random.Random
) -> bytes | None:
    """What the client read; None where it left."""
    given = "input" if route == "/v1/responses" else "messages"
    body = {"model": f"demo-{style}" if style else "demo", "stream": kind != "not streamed", given: ask}
    if route == "/v1/messages":
        body["max_tokens"] = 4096
    async with session.post(url + route, json=body) as response:
        response.raise_for_status()
        if kind == "left in the middle":
            await response.content.readexactly(rng.randrange(2000, 20_000))
            response.close()
            return None
        return await response.read()


def _metrics(port: int) -> dict[str, float]:
    """What the proxy itself has counted."""
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    names = "requests_total|restored_total|restore_misses_total|removed_characters_total|upstream_errors_total"
    found: dict[str, float] = {}
    for name, labels, value in re.findall(rf"^antidistill_({names})(\{{.*?\}})? (\S+)$", text, re.M):
        outcome = re.search(r'(?:outcome|reason|kind)="(\w+)"', labels)
        full = f"{name} {outcome[1]}" if outcome else name
        found[full] = found.get(full, 0.0) + float(value)
    return dict(sorted(found.items()))


def _by_minute(times: NDArray[np.float64], values: NDArray[np.float64], of: object = np.mean) -> list[float]:
    minutes = (times // 60).astype(int)
    return [of(values[minutes == minute]) for minute in sorted(set(minutes))]  # type: ignore[operator]


def _slope(x: NDArray[np.float64], y: NDArray[np.float64], seed: int) -> dict[str, float | int]:
    """Least squares; the residuals are drawn anew in blocks, because neighbours resemble each other."""
    slope, start = np.polyfit(x, y, 1)
    fit = start + slope * x
    rng = np.random.default_rng(seed)
    rest, count = y - fit, -(-len(x) // BLOCK)
    slopes = []
    for _ in range(2000):
        places = rng.integers(0, len(x) - BLOCK + 1, count)[:, None] + np.arange(BLOCK)
        slopes.append(np.polyfit(x, fit + rest[places.ravel()[: len(x)]], 1)[0])
    low, high = np.percentile(slopes, [2.5, 97.5])
    return {"value": round(slope, 2), "low": round(low, 2), "high": round(high, 2), "n": len(x)}


if __name__ == "__main__":
    main()
