"""What gaps and sizes of a stream tell about cuts, and what it costs to even them out.

An engine streams shared traces, one word an event, about 50 events a second with random times between them; a proxy process
guards them, without pacing and with pacing at several shares of the engine's rate. A client notes when each piece of reasoning
comes. At each end of a sentence in what it has read, two detectors guess whether something was cut there: the time between the
piece that holds the first character behind it and the piece before, and the size of that piece. AUROC over ends of sentences,
traces as clusters. The cost is the time from when the engine writes the first character of the answer to when the client has it.

    python benchmarks/pacing.py > benchmarks/pacing.json
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import socket
import time
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import aiohttp
import numpy as np
from aiohttp import web

import antidistill as ad
import machine
from antidistill.measure import intervals
from antidistill.measure.intervals import Fold, Sample
from antidistill.serve.demo.scripts import words
from antidistill.trace import Trace

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "traces_gsm8k_4models.parquet"
KEY = b"0123456789abcdef"
METHODS: dict[str, dict[str, Any]] = {"traceguard": {"k": 20}, "branches": {"share": 0.15}}
CHARACTERS = 32


class Seen(NamedTuple):
    """One stream.

    Attributes:
        pieces: time in seconds and text of each piece of reasoning.
        answered: time of the first of the answer.
        late: seconds from the engine's first of the answer to the client's.
    """

    pieces: list[tuple[float, str]]
    answered: float
    late: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=60)
    parser.add_argument("--streams", type=int, default=10, help="at once")
    parser.add_argument("--pace", type=float, default=50, help="events per second of each stream")
    parser.add_argument("--rates", type=float, nargs="*", default=[1.0, 0.8, 0.6], help="pacing, share of the engine's")
    arguments = parser.parse_args()
    found = {trace.prompt: trace for trace in ad.read(SHARED) if 150 < len(words(trace.reasoning)) < 400}
    traces = list(found.values())[: arguments.traces]
    rate = arguments.pace * mean(len(t.reasoning) / len(words(t.reasoning)) for t in traces)
    report: dict[str, Any] = {}
    for method, options in METHODS.items():
        plain = _streams(traces, arguments, {"method": method, "options": options})
        report[method] = {"off": _told(method, options, traces, plain)}
        for share in arguments.rates:
            pacing = {"characters": CHARACTERS, "seconds": round(CHARACTERS / (share * rate), 4)}
            paced = _streams(traces, arguments, {"method": method, "options": options, "pacing": pacing})
            told = _told(method, options, traces, paced)
            report[method][f"{share:g} of the engine's rate"] = {"pacing": pacing, **told}
    head = {**vars(arguments), "engine_characters_per_s": round(rate, 1), "n_traces": len(traces)}
    print(json.dumps({**head, **report, "machine": machine.describe()}, indent=2))


def _told(method: str, options: dict[str, Any], traces: list[Trace], streams: list[Seen]) -> dict[str, Any]:
    """AUROC of both detectors, and how long the reasoning took."""
    ends = [
        (cut, gap, size, number)
        for number, (trace, seen) in enumerate(zip(traces, streams, strict=True))
        for cut, gap, size in _ends(ad.guard(trace, ad.defense(method, key=KEY, **options)), seen)
    ]
    cuts, prompts = np.array([end[0] for end in ends]), np.array([end[3] for end in ends])
    report: dict[str, Any] = {}
    for name, column in (("gap", 1), ("size", 2)):
        scores = np.array([float(end[column]) for end in ends])
        fold = Fold(Sample(scores[~cuts], prompts[~cuts]), Sample(scores[cuts], prompts[cuts]))
        report[f"auroc_{name}"] = _interval(intervals.auroc([fold]), int(cuts.sum()))
    for name, times in (("answered", [s.answered for s in streams]), ("answer_late", [s.late for s in streams])):
        report[f"{name}_s"] = _interval(intervals.mean(np.array(times), np.arange(len(times))), len(times))
    return report


def _ends(guarded: ad.Guarded, seen: Seen) -> list[tuple[bool, float, int]]:
    """For each end of a sentence that was seen: whether something was cut there, the gap, and the size behind it."""
    text = "".join(piece for _, piece in seen.pieces)
    assert text == guarded.reasoning, "the proxy guards as a file does"
    times = [at for at, _ in seen.pieces]
    gaps = [0.0, *(late - soon for soon, late in pairwise(times))]
    came = [(gap, len(piece)) for gap, (_, piece) in zip(gaps, seen.pieces, strict=True) for _ in piece]
    cuts, shift = [], 0
    for edit in guarded.edits:
        cuts.append(edit.start - shift)
        shift += edit.end - edit.start - len(edit.replacement)
    found, end = [], 0
    for sentence in ad.split(text)[:-1]:
        end += len(sentence)
        before, behind = len(text[:end].rstrip()) - 1, end
        cut = any(before < at <= behind for at in cuts)
        found.append((cut, *came[behind]))
    return found


def _interval(interval: intervals.Interval, n: int) -> dict[str, float | int]:
    return {name: round(value, 3) for name, value in interval._asdict().items()} | {"n": n}


def _streams(traces: list[Trace], arguments: argparse.Namespace, default: dict[str, Any]) -> list[Seen]:
    """All traces through a proxy with this policy."""
    sockets = [socket.create_server(("127.0.0.1", 0), backlog=1024) for _ in range(2)]
    urls = [f"http://127.0.0.1:{sock.getsockname()[1]}" for sock in sockets]
    fork = multiprocessing.get_context("fork")
    processes = [
        fork.Process(target=_engine, args=(sockets[0], traces, arguments.pace), daemon=True),
        fork.Process(target=_proxy, args=(sockets[1], urls[0], default), daemon=True),
    ]
    for process in processes:
        process.start()
    time.sleep(2)
    try:
        return asyncio.run(_clients(urls[1], traces, arguments.streams))
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _engine(sock: socket.socket, traces: list[Trace], pace: float) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        number = int(json.loads(await request.read())["user"])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        at, rng = time.monotonic(), random.Random(number)
        for word in (*words(traces[number].reasoning), ""):
            delta = {"reasoning_content": word} if word else {"content": f"{time.time():.4f}"}
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
            await response.write(b"data: " + json.dumps({"id": "c", "choices": [choice]}).encode() + b"\n\n")
            at += rng.uniform(0.5, 1.5) / pace
            await asyncio.sleep(max(0.0, at - time.monotonic()))
        await response.write(b"data: [DONE]\n\n")
        return response

    async def serve() -> None:
        runner = web.ServerRunner(web.Server(handle, access_log=None))
        await runner.setup()
        await web.SockSite(runner, sock).start()
        await asyncio.Event().wait()

    asyncio.run(serve())


def _proxy(sock: socket.socket, engine: str, default: dict[str, Any]) -> None:
    from antidistill.serve.app.server import serve
    from antidistill.serve.app.settings import Options
    from antidistill.serve.policies import PolicyBook

    policy = {"upstream": {"url": engine}, "default": {"unopened": "answer", **default}}
    serve(PolicyBook(None, policy, secret=KEY, environment={}), Options(signals=False), sock)


async def _clients(url: str, traces: list[Trace], streams: int) -> list[Seen]:
    places = asyncio.Semaphore(streams)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(number: int, trace: Trace) -> Seen:
            async with places:
                return await _client(session, url, number, trace)

        return await asyncio.gather(*(one(number, trace) for number, trace in enumerate(traces)))


async def _client(session: aiohttp.ClientSession, url: str, number: int, trace: Trace) -> Seen:
    ask = [{"role": "user", "content": trace.prompt}]
    body = {"model": "m", "stream": True, "user": str(number), "messages": ask}
    pieces: list[tuple[float, str]] = []
    answered = late = 0.0
    began = time.monotonic()
    async with session.post(url + "/v1/chat/completions", json=body) as response:
        async for line in response.content:
            if line.startswith(b"data: {"):
                delta = json.loads(line[6:])["choices"][0]["delta"]
                if delta.get("reasoning_content"):
                    pieces.append((time.monotonic() - began, delta["reasoning_content"]))
                elif delta.get("content"):
                    answered, late = time.monotonic() - began, time.time() - float(delta["content"])
    return Seen(pieces, answered, late)


if __name__ == "__main__":
    main()
