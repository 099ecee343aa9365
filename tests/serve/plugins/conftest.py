"""An engine that replays traces and keeps what it was asked, and the LiteLLM proxy before it."""

import asyncio
import os
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import orjson
import pytest

pytest.importorskip("aiohttp", reason="needs the extra serve")

from aiohttp import web

from antidistill.serve.demo.engine import DemoEngine
from antidistill.trace import Trace

ROOT = Path(__file__).resolve().parents[3]
REASONING = (
    "I need 12 * 15. That is 12 * 10 plus 12 * 5, so 120 + 60 = 180.\n\n"
    "Wait, let me check 12 * 5. It is 60, yes.\n\n"
    "Alternatively, 15 * 12 is 15 * 10 plus 15 * 2. That is 150 + 30 = 180. Both ways agree."
)
TRACE = Trace("1", "What is 12 * 15?", REASONING, 'It is 180. {"like": "<think>"} é')
REMOVED = ("let me check 12 * 5", "15 * 12 is 15 * 10")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Engine:
    """The scripted engine on a thread of its own; `asked` holds path and body of every request."""

    def __init__(self):
        self.asked, self.port = [], free_port()
        self._demo = DemoEngine([TRACE])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    async def _start(self):
        async def handle(request):
            if request.can_read_body:
                self.asked.append((request.path, orjson.loads(await request.read())))
            return await self._demo.handle(request)

        self._runner = web.ServerRunner(web.Server(handle))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


@pytest.fixture(scope="session")
def engine():
    running = Engine()
    yield running
    running.stop()


class Answer:
    """A response: its status, its bytes, and the JSON in it."""

    def __init__(self, status, content):
        self.status, self.content, self.text = status, content, content.decode()

    @property
    def json(self):
        return orjson.loads(self.content)

    @property
    def events(self):
        lines = (line[6:] for line in self.content.split(b"\n") if line.startswith(b"data: {"))
        return [orjson.loads(line) for line in lines]


def post(url, body, key="sk-master"):
    request = urllib.request.Request(url, orjson.dumps(body), {"content-type": "application/json"})
    request.add_header("authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())


class LiteLLM:
    """A real LiteLLM proxy, in its own environment."""

    def __init__(self, program, folder, config):
        self.port, self.log = free_port(), folder / "litellm.log"
        (folder / "config.yaml").write_bytes(orjson.dumps(config))
        command = [
            str(program),
            "--config",
            str(folder / "config.yaml"),
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        environment = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
        while not self._is_up():
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            time.sleep(0.2)

    def _is_up(self):
        try:
            return urllib.request.urlopen(f"{self.url}/health/liveliness", timeout=2).status == 200
        except OSError:
            return False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="session")
def litellm(engine, tmp_path_factory):
    program = ROOT / ".venv-litellm" / "bin" / "litellm"
    if not program.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("the LiteLLM proxy is missing: make litellm")
        pytest.skip("needs a LiteLLM proxy (make litellm)")
    folder = tmp_path_factory.mktemp("litellm")
    (folder / "policy.yaml").write_text(
        "default: {method: traceguard}\nturns: {mode: both}\nrules:\n  - {name: off, models: [original], method: off}\n"
    )
    chat = {"api_base": f"{engine.url}/v1", "api_key": "x"}
    models = {
        "vllm": {"model": "hosted_vllm/demo-reasoning", **chat},
        "original": {"model": "hosted_vllm/demo", **chat},
        "tags": {"model": "openai/demo-tags", **chat},
        "claude": {"model": "anthropic/demo", "api_base": engine.url, "api_key": "x"},
        "openai": {"model": "openai/demo", **chat},
    }
    guardrail = {
        "guardrail_name": "antidistill",
        "litellm_params": {
            "guardrail": "antidistill.serve.plugins.litellm.AntidistillGuardrail",
            "mode": ["pre_call", "post_call"],
            "default_on": True,
            "policy_file": str(folder / "policy.yaml"),
        },
    }
    config = {
        "model_list": [{"model_name": name, "litellm_params": params} for name, params in models.items()],
        "guardrails": [guardrail],
        "general_settings": {
            "master_key": "sk-master",
            "pass_through_endpoints": [
                {"path": "/engine", "target": engine.url, "include_subpath": True, "auth": True}
            ],
        },
        "litellm_settings": {"telemetry": False, "num_retries": 0},
        "router_settings": {"disable_cooldowns": True},
    }
    running = LiteLLM(program, folder, config)
    yield running
    running.stop()
