"""What stands between the engine and the client in `serve.py`: nothing, a bare pass-through, our server, LiteLLM."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from processes import free_port

LITELLM = Path(__file__).resolve().parents[1] / ".venv-litellm" / "bin" / "litellm"
POLICY = {"method": "traceguard", "options": {"k": 20}, "unopened": "answer"}
TURNS = {"mode": "token"}
"""Several workers cannot share a store in memory, so all ways of ours seal."""


@contextmanager
def running(way: str, engine: int, cores: set[int]) -> Iterator[tuple[int, int]]:
    """The port that a client asks, and the process to watch (0: none).

    Args:
        way: `direct`, `bare`, `guard`, `guard-N` with N workers, `litellm` with the same guard, `litellm-bare` without.
        engine: its port.
        cores: that the process may use; empty: all.
    """
    if way == "direct":
        yield engine, 0
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command, path = _command(way, folder, engine, port)
        environment = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
        if cores:
            os.sched_setaffinity(process.pid, cores)
        try:
            _wait(f"http://127.0.0.1:{port}{path}", process, folder / "log")
            yield port, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(way: str, folder: Path, engine: int, port: int) -> tuple[list[str], str]:
    """How it is started, and the path that tells that it has."""
    url = f"http://127.0.0.1:{engine}"
    policy = {"default": POLICY, "turns": TURNS, "limits": {"drain_seconds": 1, "max_streams": 10_000}}
    (folder / "policy.yaml").write_text(json.dumps(policy))
    if way == "bare":
        return [sys.executable, str(Path(__file__)), str(port), url], "/"
    if way.startswith("guard"):
        workers = way.partition("-")[2] or "1"
        command = [str(Path(sys.executable).with_name("antidistill")), "serve", "--upstream", url, "--port", str(port)]
        return [*command, "--config", str(folder / "policy.yaml"), "--workers", workers], "/livez"
    (folder / "config.yaml").write_text(json.dumps(_litellm(url, folder if way == "litellm" else None)))
    command = [str(LITELLM), "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    return command, "/health/liveliness"


def _litellm(url: str, guarded: Path | None) -> dict[str, object]:
    parameters = {"model": "hosted_vllm/m", "api_base": f"{url}/v1", "api_key": "x"}
    guardrail = {
        "guardrail": "antidistill.serve.plugins.litellm.AntidistillGuardrail",
        "mode": ["pre_call", "post_call"],
        "default_on": True,
        "policy_file": str(guarded and guarded / "policy.yaml"),
    }
    return {
        "model_list": [{"model_name": "m", "litellm_params": parameters}],
        "guardrails": [{"guardrail_name": "antidistill", "litellm_params": guardrail}] if guarded else [],
        "general_settings": {"master_key": "sk-master"},
        "litellm_settings": {"telemetry": False, "num_retries": 0},
    }


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    while True:
        if process.poll() is not None:
            raise RuntimeError(log.read_text()[-2000:])
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)


def _bare(port: int, engine: str) -> None:
    """A pass-through that only copies bytes, with the libraries that our server uses."""
    from antidistill.serve.app.server import run_loop

    async def start() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def handle(request: web.BaseRequest) -> web.StreamResponse:
                if request.method != "POST":
                    return web.Response(text="bare")
                body = await request.read()
                async with session.post(engine + request.path, data=body) as answer:
                    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
                    await response.prepare(request)
                    while data := await answer.content.readany():
                        await response.write(data)
                    return response

            runner = web.ServerRunner(web.Server(handle, access_log=None, handler_cancellation=True))
            await runner.setup()
            await web.SockSite(runner, socket.create_server(("127.0.0.1", port), backlog=1024)).start()
            await asyncio.Event().wait()

    run_loop(start)


if __name__ == "__main__":
    _bare(int(sys.argv[1]), sys.argv[2])
