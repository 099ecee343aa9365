"""Several worker processes of the real command: who answers, what they count together, reloads, deaths and the end."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.serve.plugins.conftest import free_port
from tests.serve.replay import context, guarded, read
from tests.serve.serving import Engine, _open

from antidistill.serve.demo import scripts
from antidistill.serve.demo.engine import bundled_traces

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
CHAT = "/v1/chat/completions"
TRACE = bundled_traces()[0]
ASK = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": TRACE.prompt}]}
GUARDED = guarded(TRACE, context(TRACE.prompt))
SHOWN = {"traceguard": GUARDED, "off": TRACE.reasoning}


class Paused(Engine):
    """An engine that stops before each answer until the test lets it go on."""

    def __init__(self):
        super().__init__(self.stream)
        self.go_on = threading.Event()

    async def stream(self, request, body):
        *events, last = scripts.chat(TRACE.reasoning, TRACE.answer)
        for event in events:
            yield event
        while not self.go_on.is_set():
            await asyncio.sleep(0.01)
        yield last
        yield scripts.DONE


class Command:
    """`antidistill serve --workers 2` before an engine."""

    def __init__(self, folder, engine, metrics_port=None):
        self.folder, self.port, self.metrics_port = folder, free_port(), metrics_port or free_port()
        (folder / "guard.key").write_bytes(b"0123456789abcdef")
        self.engine = engine
        self.policy("traceguard")
        command = [str(Path(sys.executable).with_name("antidistill")), "serve", "--workers", "2"]
        command += ["--config", str(folder / "policy.yaml"), "--port", str(self.port)]
        command += ["--metrics-port", str(self.metrics_port)]
        environment = os.environ | {"TMPDIR": str(folder)}
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stderr=log, env=environment)

    def policy(self, method):
        policy = {
            "upstream": {"url": self.engine},
            "key_file": str(self.folder / "guard.key"),
            "turns": {"mode": "off"},
            "default": {"method": method, **({"options": {"k": 20}} if method == "traceguard" else {})},
        }
        draft = self.folder / "draft"
        draft.write_text(json.dumps(policy))
        draft.rename(self.folder / "policy.yaml")

    @property
    def log(self):
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines() if line.startswith("{")]

    @property
    def workers(self):
        pid = self.process.pid
        return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def hashes(self):
        return [line["hash"] for line in self.log if line["event"] in {"listening", "policies reloaded"}]

    def metric(self, name):
        text = urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10).read().decode()
        return sum(float(value) for value in re.findall(rf"^antidistill_{name}(?:{{.*}})? (\S+)$", text, re.M))

    def ask(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{CHAT}", json.dumps(ASK).encode())
        return read(CHAT, "", urllib.request.urlopen(request, timeout=30).read())


def until(true, seconds=20):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


@pytest.fixture
def engine():
    """The engine and its URL, on a thread of its own."""
    own, loop = Paused(), asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    url, close = asyncio.run_coroutine_threadsafe(_open(own), loop).result(10)
    yield own, url
    own.go_on.set()
    asyncio.run_coroutine_threadsafe(close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)


@pytest.fixture
def command(engine, tmp_path):
    own = Command(tmp_path, engine[1])
    until(lambda: len(own.hashes()) >= 2)
    yield own
    own.process.kill() if own.process.poll() is None else None
    own.process.wait()


def files(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_streams_are_shared_counted_together_and_finished_at_the_end(engine, command):
    idle = [files(pid) for pid in command.workers]
    with ThreadPoolExecutor(20) as pool:
        streams = [pool.submit(command.ask) for _ in range(20)]
        until(lambda: command.metric("active_streams") == 20)
        busy = [files(pid) - before for pid, before in zip(command.workers, idle, strict=True)]
        assert min(busy) >= 4  # each stream has a connection on both sides: both processes carry at least two
        command.process.send_signal(signal.SIGTERM)
        until(lambda: [line["event"] for line in command.log].count("draining") == 2)
        until(lambda: socket.socket().connect_ex(("127.0.0.1", command.port)))  # refused, not kept waiting
        assert command.process.poll() is None
        engine[0].go_on.set()
        assert {(said.reasoning[0], said.answer) for said in (one.result(20) for one in streams)} == {
            (GUARDED, TRACE.answer)
        }
    assert command.process.wait(20) == 0
    assert not list(command.folder.glob("antidistill-metrics-*"))


def test_a_reload_reaches_every_process_and_no_stream(engine, command):
    with ThreadPoolExecutor(8) as pool:
        old = [pool.submit(command.ask) for _ in range(8)]
        until(lambda: command.metric("active_streams") == 8)
        command.policy("off")
        command.process.send_signal(signal.SIGHUP)
        first = command.hashes()[0]
        until(lambda: sum(one != first for one in command.hashes()) >= 2)
        engine[0].go_on.set()
        assert {said.reasoning[0] for said in (one.result(20) for one in old)} == {SHOWN["traceguard"]}
        assert {one.result(20).reasoning[0] for one in [pool.submit(command.ask) for _ in range(8)]} == {SHOWN["off"]}
    assert command.metric("requests_total") == 16
    assert command.metric("policy_info") == 1


def test_a_process_that_dies_is_replaced_by_one_with_the_policies_of_now(engine, command):
    engine[0].go_on.set()
    first, second = command.workers
    command.policy("off")
    os.kill(second, signal.SIGKILL)
    until(lambda: len(command.workers) == 2 and second not in command.workers)
    assert first in command.workers
    until(lambda: [line["event"] for line in command.log].count("listening") == 3)
    assert command.hashes()[0] != [line["hash"] for line in command.log if line["event"] == "listening"][2]
    until(lambda: sum(one != command.hashes()[0] for one in command.hashes()) >= 2)
    assert {command.ask().reasoning[0] for _ in range(8)} == {SHOWN["off"]}
    assert command.metric("active_streams") == 0


def test_a_port_that_is_taken_ends_all(engine, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        own = Command(tmp_path, engine[1], metrics_port=taken.getsockname()[1])
        assert own.process.wait(20) == 2
    assert "choose another --metrics-port" in (tmp_path / "log").read_text()


def test_no_process_outlives_the_first_one(command):
    workers = command.workers
    command.process.kill()
    command.process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert socket.socket().connect_ex(("127.0.0.1", command.port))
