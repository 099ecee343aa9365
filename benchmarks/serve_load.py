"""The load of `serve.py`: an engine that streams traces at a fixed pace, and a client that reads the stamps in them.

Both speak HTTP by hand over asyncio's protocols, so that they take a small share of the processor beside what is measured.
"""

import asyncio
import ctypes
import itertools
import json
import random
import re
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import antidistill as ad

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "traces_gsm8k_4models.parquet"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_MODELS = b'{"object":"list","data":[]}'
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STAMP = re.compile(rb"@(\d{10}\.\d{6})")
_BEFORE = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{'
_AFTER = b'},"logprobs":null,"finish_reason":null}]}\n\n'


def run_engine(sock: socket.socket, pace: float, together: bool, sent: Any) -> None:
    """Answers every request with an endless stream: 150 words of a reasoning, 50 stamped words of an answer, and so on.

    Args:
        sock: that listens.
        pace: events per second of each stream.
        together: all streams send at the same moments, like the sequences of one batch; else each has its own moments.
        sent: shared counter of events.
    """
    from antidistill.serve.demo.scripts import words

    traces = [trace for trace in ad.read(SHARED) if len(trace.reasoning) > 2000][:100]
    texts = [
        [
            _BEFORE + b'"reasoning_content":' + json.dumps(word).encode() + _AFTER
            for word in words(trace.reasoning)[:150]
        ]
        for trace in traces
    ]
    script = Script(texts, pace, together, sent)

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(partial(Stream, script), sock=sock)
        await server.serve_forever()

    _run(serve())


class Script:
    """What the engine sends, and when."""

    def __init__(self, texts: list[list[bytes]], pace: float, together: bool, sent: Any) -> None:
        self.texts, self.pace, self.together, self.sent = texts, pace, together, sent
        self.numbers, self.rng = itertools.count(), random.Random(1)

    def event(self, number: int, place: int) -> bytes:
        """The event of a stream at a place, from 0 without end."""
        text = self.texts[(number + place // 200) % len(self.texts)]
        at = place % 200
        return text[at] if at < len(text) else _BEFORE + b'"content":"@%.6f "' % time.time() + _AFTER

    def begins(self, now: float) -> float:
        """When the first event of a stream is due."""
        step = 1 / self.pace
        return (now // step + 1) * step if self.together else now + self.rng.uniform(0, step)


class Stream(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, script: Script) -> None:
        self._script, self._asked = script, b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client has come."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        self._asked += data
        head, found, body = self._asked.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or len(body) < (int(length[1]) if length else 0):
            return
        self._asked = b""
        if head.startswith(b"POST"):
            self._begin()
            return
        head_of_models = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(
            _MODELS
        )
        self._transport.write(head_of_models + _MODELS)

    def _begin(self) -> None:
        self._transport.write(_HEAD)
        loop, script = asyncio.get_running_loop(), self._script
        began = script.begins(loop.time())
        self._timer = loop.call_at(began, self._send, began, next(script.numbers), script.rng.randrange(200))

    def _send(self, due: float, number: int, place: int) -> None:
        event = self._script.event(number, place)
        self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))
        self._script.sent.value += 1
        due += 1 / self._script.pace
        self._timer = asyncio.get_running_loop().call_at(due, self._send, due, number, place + 1)

    def connection_lost(self, error: Exception | None) -> None:
        """The client has gone."""
        if self._timer is not None:
            self._timer.cancel()


async def ask(
    port: int, streams: int, warm_up: float, seconds: float, mark: Callable[[], Any]
) -> tuple[Any, Any, list[float]]:
    """Reads streams for a while.

    Args:
        port: of the server that is asked.
        streams: at once.
        warm_up: seconds that do not count, once every stream has come through.
        seconds: that count.
        mark: called when the counting begins and when it ends.

    Returns:
        What `mark` said first and last, and the delays of the stamped events in seconds, sorted.
    """
    delays: list[float] = []
    loop = asyncio.get_running_loop()
    body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "How many?"}]}).encode()
    request = b"POST /v1/chat/completions HTTP/1.1\r\nHost: l\r\nAuthorization: Bearer sk-master\r\n"
    request += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    class Reader(asyncio.Protocol):
        counts = False
        came = False

        def connection_made(self, transport: Any) -> None:
            self.transport, self._rest = transport, b""
            transport.write(request)

        def data_received(self, data: bytes) -> None:
            now = time.time()
            data = self._rest + data
            end = 0
            for match in _STAMP.finditer(data):
                end, self.came = match.end(), True
                if Reader.counts:
                    delays.append(now - float(match[1]))
            self._rest = data[max(end, len(data) - 20) :]

    readers = [(await loop.create_connection(Reader, "127.0.0.1", port))[1] for _ in range(streams)]
    while not all(reader.came for reader in readers):  # a gateway may load a good deal with its first request
        await asyncio.sleep(0.1)
    await asyncio.sleep(warm_up)
    first, Reader.counts = mark(), True
    await asyncio.sleep(seconds)
    last, Reader.counts = mark(), False
    for reader in readers:
        reader.transport.abort()
    return first, last, sorted(delays)


def run_client(*arguments: Any) -> Any:
    """`ask`, on a loop of its own."""
    return _run(ask(*arguments))


def _run(work: Any) -> Any:
    import uvloop

    return uvloop.run(work)


def counter() -> Any:
    """A counter that two processes share; one of them writes."""
    import multiprocessing

    return multiprocessing.Value(ctypes.c_uint64, lock=False)
