"""The real command in one process: the demo, what it says when it cannot start, signals, and its end."""

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from tests.serve.app.test_workers import CHAT, TRACE, engine, until
from tests.serve.replay import read

from antidistill.errors import OutputError
from antidistill.serve.app.settings import listen

__all__ = ["engine"]
PROGRAM = str(Path(sys.executable).with_name("antidistill"))
ASK = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": TRACE.prompt}]}


class Served:
    """`antidistill serve` with these arguments."""

    def __init__(self, folder, *arguments):
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", *arguments], stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder
            )

    @property
    def log(self):
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]

    def told(self, event):
        return [line for line in self.log if line["event"] == event]

    @property
    def url(self):
        until(lambda: self.told("listening"))
        return f"http://127.0.0.1:{self.told('listening')[0]['port']}"

    def ended(self, signal_number):
        self.process.send_signal(signal_number)
        return self.process.wait(20)


@pytest.fixture
def serve(tmp_path):
    started = []

    def start(*arguments):
        started.append(Served(tmp_path, *arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()
        one.process.stdout.close()


@pytest.fixture
def before(serve, engine, tmp_path):
    """The command before the paused engine, with a policy file."""

    def start(**policy):
        (tmp_path / "guard.key").write_bytes(b"0123456789abcdef")
        write(tmp_path, upstream={"url": engine[1]}, key_file=str(tmp_path / "guard.key"), **policy)
        return serve("--config", str(tmp_path / "policy.yaml"), "--port", "0")

    return start


def write(folder, **policy):
    (folder / "draft").write_text(json.dumps(policy))
    (folder / "draft").rename(folder / "policy.yaml")


def post(url, body=ASK):
    return urllib.request.urlopen(urllib.request.Request(url + CHAT, json.dumps(body).encode()), timeout=30)


class Asking(threading.Thread):
    """A client on a thread of its own; `begun` once the head of the response is there."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.out, self.begun = url, b"", threading.Event()
        self.start()

    def run(self):
        with post(self.url) as response:
            self.begun.set()
            self.out = response.read()


def test_the_demo_prints_commands_that_show_both_streams(serve):
    demo = serve("--demo", "--port", "0")
    printed = []
    for line in demo.process.stdout:
        printed.append(line)
        if line.startswith("Stop"):
            break
    curls = [shlex.split(line) for line in printed if line.startswith("curl")]
    said = []
    for _, _, url, *_, body in curls:
        request = urllib.request.Request(url, json.dumps({**json.loads(body), "stream": False}).encode())
        message = json.load(urllib.request.urlopen(request, timeout=20))["choices"][0]["message"]
        said.append((message["reasoning_content"], message["content"]))
    (original, answer), (guarded, same) = said
    assert (original, answer) == (TRACE.reasoning, TRACE.answer)
    assert same == answer
    assert 0 < len(guarded) < len(original)
    snippet = "".join(printed)[re.search("from openai", "".join(printed)).start() :].partition("Stop")[0]
    compile(snippet, "snippet", "exec")
    assert demo.url + "/v1" not in snippet  # it adds the path itself
    assert f'"guarded": "{demo.url}"' in snippet
    assert demo.ended(signal.SIGINT) == 0
    assert demo.told("stopped")


def test_the_demo_brings_its_own_engine(serve):
    refused = serve("--demo", "--upstream", "http://127.0.0.1:1")
    assert refused.process.wait(20) == 2
    assert "--demo brings its own engine" in refused._log.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--upstream", "http://127.0.0.1:1", "--port", "{taken}"], "choose another --host or --port"),
        (["--demo", "--port", "{taken}"], "choose another --host or --port"),
        (["--upstream", "http://127.0.0.1:1", "--port", "0", "--metrics-port", "{taken}"], "another --metrics-port"),
        (["--port", "0"], "there is no engine"),
        (["--upstream", "http://127.0.0.1:1", "--method", "traceguards"], "traceguard"),
        (["--config", "missing.yaml"], "missing.yaml"),
    ],
)
def test_what_cannot_start_says_why_in_one_line(serve, arguments, told):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = serve(*[argument.replace("{taken}", port) for argument in arguments])
        assert refused.process.wait(20) == 2
    plain = [line for line in refused._log.read_text().splitlines() if not line.startswith("{")]
    assert len(plain) == 1
    assert told in plain[0]


def test_a_taken_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OutputError, match=f"127.0.0.1:{port} cannot be opened"):
            listen("127.0.0.1", port)


def test_a_reload_changes_new_requests_and_no_stream_that_runs(before, engine, tmp_path):
    own = before(default={"method": "traceguard", "options": {"k": 20}})
    running = Asking(own.url)
    assert running.begun.wait(20)
    policy = json.loads((tmp_path / "policy.yaml").read_text())
    write(tmp_path, **{**policy, "default": {"method": "off"}})
    own.process.send_signal(signal.SIGHUP)
    until(lambda: own.told("policies reloaded"))
    engine[0].go_on.set()
    running.join(20)
    assert read(CHAT, "", running.out).reasoning != [TRACE.reasoning]
    with post(own.url) as response:
        assert read(CHAT, "", response.read()).reasoning == [TRACE.reasoning]
    write(tmp_path, **{**policy, "defaults": {}})
    own.process.send_signal(signal.SIGHUP)
    until(lambda: own.told("policies not reloaded: the old ones hold on"))
    failed = own.told("policies not reloaded: the old ones hold on")[-1]
    assert "default" in failed["exception"]["message"]
    assert own.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_that_runs_is_finished_and_no_new_one_is_taken(before, engine, number):
    own = before()
    running = Asking(own.url)
    assert running.begun.wait(20)
    own.process.send_signal(number)
    until(lambda: own.told("draining"))
    with pytest.raises(OSError, match="refused|503|reset"):
        post(own.url)
    engine[0].go_on.set()
    running.join(20)
    assert read(CHAT, "", running.out).answer == TRACE.answer
    assert own.process.wait(20) == 0
    assert own.told("draining")[0]["remaining"] == 1
    assert [line["code"] for line in own.told("request")] == ["ok"]
    assert own.log[-1]["event"] == "stopped"


def test_a_stream_that_does_not_end_is_cut_off(before):
    own = before(limits={"drain_seconds": 0.5})
    with socket.create_connection(("127.0.0.1", int(own.url.rpartition(":")[2]))) as client:
        body = json.dumps(ASK).encode()
        client.sendall(
            b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (CHAT.encode(), len(body), body)
        )
        assert b"200 OK" in client.recv(1000)
        assert own.ended(signal.SIGTERM) == 0
        rest = b""
        while data := client.recv(65_536):
            rest += data
    assert b"[DONE]" not in rest
    assert own.told("cut off")[0]["remaining"] == 1
    assert [line["code"] for line in own.told("request")] == ["client_gone"]
