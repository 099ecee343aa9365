"""CPU of the reverse proxy per event, beside a bare aiohttp pass-through, with paced streams on loopback.

An engine process streams chat completions of shared traces at a fixed pace; one proxy process at a time (ours with `traceguard`,
or bare) carries them to a client process. The processor time of the proxy process is divided by the events that the engine sends
at its pace. The latency is the time from an event's stamp in the engine to the client, p50, p95 and p99 over events of answers,
which nothing holds. The ways take turns, so that what else runs on the machine hits them alike. Prints JSON.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import aiohttp
from aiohttp import web

import antidistill as ad
import machine

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "traces_gsm8k_4models.parquet"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
WAYS = ("direct", "bare", "guard")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--pace", type=float, default=50, help="events per second of each stream")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    rows: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(arguments.repeats):
        for way in WAYS:
            rows[way].append(_run(way, arguments))
    report = {way: {name: [round(row[name], 2) for row in runs] for name in runs[0]} for way, runs in rows.items()}
    ratios = [own["cpu_us"] / bare["cpu_us"] for own, bare in zip(rows["guard"], rows["bare"], strict=True)]
    ratio = {
        "value": round(median(ratios), 2),
        "low": round(min(ratios), 2),
        "high": round(max(ratios), 2),
        "n": len(ratios),
    }
    print(
        json.dumps(
            {**vars(arguments), **report, "guard / bare, CPU (range)": ratio, "machine": machine.describe()}, indent=2
        )
    )


def _run(way: str, arguments: argparse.Namespace) -> dict[str, float]:
    engine_socket, proxy_socket = _listen(), _listen()
    engine_url = f"http://127.0.0.1:{engine_socket.getsockname()[1]}"
    context = multiprocessing.get_context("fork")
    engine = context.Process(target=_engine, args=(engine_socket, arguments.pace), daemon=True)
    proxy = context.Process(target=_bare if way == "bare" else _guard, args=(proxy_socket, engine_url), daemon=True)
    engine.start()
    proxy.start()
    time.sleep(2)
    url = engine_url if way == "direct" else f"http://127.0.0.1:{proxy_socket.getsockname()[1]}"
    before = _cpu(proxy.pid or 0)
    sent, delays = asyncio.run(_client(url, arguments))
    used = _cpu(proxy.pid or 0) - before
    for process in (proxy, engine):
        process.terminate()
        process.join()
    delays.sort()
    places = {f"p{place}_ms": 1e3 * delays[int(len(delays) * place / 100)] for place in (50, 95, 99)}
    return {"cpu_us": 0.0 if way == "direct" else 1e6 * used / sent, "nominal_events": sent, **places}


def _listen() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=1024)


def _cpu(pid: int) -> float:
    """Seconds of processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _engine(sock: socket.socket, pace: float) -> None:
    from antidistill.serve.demo.scripts import words

    traces = [trace for trace in ad.read(SHARED) if len(trace.reasoning) > 2000][:100]
    head = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{'
    tail = b'},"logprobs":null,"finish_reason":null}]}\n\n'

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        number = int(json.loads(await request.read())["user"])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        count, began = 0, time.monotonic()
        while True:
            trace = traces[(number + count) % len(traces)]
            for place, word in enumerate(words(trace.reasoning)[:150] + ["@"] * 50):
                if word == "@":
                    body = b'"content":"%d %.6f "' % (place, time.time())
                else:
                    body = b'"reasoning_content":' + json.dumps(word).encode()
                await response.write(head + body + tail)
                count += 1
                await asyncio.sleep(max(0.0, began + count / pace - time.monotonic()))

    asyncio.run(_serve(handle, sock))


def _bare(sock: socket.socket, engine: str) -> None:
    async def start() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def handle(request: web.BaseRequest) -> web.StreamResponse:
                body = await request.read()
                async with session.post(engine + request.path, data=body) as answer:
                    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
                    await response.prepare(request)
                    while data := await answer.content.readany():
                        await response.write(data)
                    return response

            await _serve(handle, sock)

    from antidistill.serve.app.server import run_loop

    run_loop(start)


async def _serve(handle: Handler, sock: socket.socket) -> None:
    runner = web.ServerRunner(web.Server(handle, access_log=None, handler_cancellation=True))
    await runner.setup()
    await web.SockSite(runner, sock).start()
    await asyncio.Event().wait()


def _guard(sock: socket.socket, engine: str) -> None:
    from antidistill.serve.app.server import serve
    from antidistill.serve.app.settings import Options
    from antidistill.serve.policies import PolicyBook

    policy = {
        "upstream": {"url": engine},
        "default": {"method": "traceguard", "options": {"k": 20}, "unopened": "answer"},
    }
    serve(PolicyBook(None, policy, secret=b"0123456789abcdef", environment={}), Options(signals=False), sock)


async def _client(url: str, arguments: argparse.Namespace) -> tuple[int, list[float]]:
    """Events that the engine sent at its pace, and delays of the stamped ones in seconds."""
    delays: list[float] = []
    sent = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(number: int) -> None:
            nonlocal sent
            body = {
                "model": "m",
                "stream": True,
                "user": str(number),
                "messages": [{"role": "user", "content": str(number)}],
            }
            until = time.monotonic() + arguments.seconds
            async with session.post(url + "/v1/chat/completions", json=body) as response:
                while time.monotonic() < until:
                    line = await response.content.readline()
                    if b'"content":"' in line:
                        delays.append(time.time() - float(line.split(b'"content":"')[1].split(b" ")[1]))
            sent += int(arguments.seconds * arguments.pace)

        await asyncio.gather(*map(one, range(arguments.streams)))
    return sent, delays


if __name__ == "__main__":
    main()
