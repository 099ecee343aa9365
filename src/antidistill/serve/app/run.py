"""Starts the server as the command line wants it."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from antidistill.errors import AntidistillError, UsageError
from antidistill.serve.app.settings import Options, listen, listen_together
from antidistill.serve.policies import PolicyBook, TurnsMode


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be started.

    Attributes:
        config: the policy file; None: there is none.
        overrides: what the command line says, in the shape of the file.
        options: how the server runs.
        workers: processes.
    """

    config: Path | None
    overrides: Mapping[str, Any]
    options: Options
    workers: int = 1


def run(plan: Plan) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        AntidistillError: the policies are not valid, or a port is taken.
    """
    if plan.workers > 1:
        with _shared_metrics():
            _run_workers(plan)
        return
    from antidistill.serve.app.server import serve
    from antidistill.serve.operations import configure_logs

    configure_logs()
    book = PolicyBook(plan.config, plan.overrides)
    sock = listen(plan.options.host, plan.options.port)
    _freeze()
    serve(book, plan.options, sock)


def _freeze() -> None:
    """Takes what was loaded out of garbage collection, which would hold all streams up while it looks at it."""
    gc.collect()
    gc.freeze()


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """A folder in which the processes share their numbers, unless the environment names one."""
    name = "PROMETHEUS_MULTIPROC_DIR"
    if name in os.environ:
        yield
        return
    assert "prometheus_client" not in sys.modules, "prometheus_client looks at the variable when it is imported"
    with tempfile.TemporaryDirectory(prefix="antidistill-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ[name] = folder
        yield


def _run_workers(plan: Plan) -> None:
    from antidistill.serve.app.server import serve
    from antidistill.serve.app.workers import Workers
    from antidistill.serve.operations import configure_logs, log

    configure_logs()
    book = PolicyBook(plan.config, plan.overrides)
    _check_store(book)
    sockets = listen_together(plan.options.host, plan.options.port, plan.workers)

    _freeze()  # before the processes part, so that they share it

    def work(number: int) -> None:
        for other in {*sockets} - {sockets[number]}:
            other.close()
        options = plan.options if number == 0 else replace(plan.options, metrics_port=0)
        serve(book, options, sockets[number])

    def renew() -> None:
        try:
            book.reload()
        except AntidistillError as error:
            log("policies not reloaded: the old ones hold on", error=error)

    def close_all() -> None:  # else connections would wait for processes that take no more
        for sock in sockets:
            sock.close()

    Workers(plan.workers, work, renew, close_all).run()


def _check_store(book: PolicyBook) -> None:
    turns = book.current.settings.turns
    if turns.mode is TurnsMode.STORE and turns.store == "memory":
        raise UsageError(
            "several workers do not share a store in memory, so originals of earlier turns would get lost: "
            "set turns.mode to token or off, or turns.store to a Redis (ANTIDISTILL_TURNS__MODE=token)."
        )


def run_demo(plan: Plan) -> None:
    """Serves a scripted engine and the proxy before it, and prints what to try."""
    from antidistill.serve.operations import configure_logs

    configure_logs()
    with tempfile.TemporaryDirectory(prefix="antidistill-demo-") as folder:
        asyncio.run(_demo(plan, Path(folder)))


async def _demo(plan: Plan, folder: Path) -> None:
    from aiohttp import web

    from antidistill.serve.app.server import Server
    from antidistill.serve.demo.engine import DemoEngine, bundled_traces

    traces = bundled_traces()
    engine_socket = listen("127.0.0.1", 0)
    runner = web.ServerRunner(web.Server(DemoEngine(traces, events_per_second=40).handle, access_log=None))
    await runner.setup()
    await web.SockSite(runner, engine_socket).start()
    engine = f"http://127.0.0.1:{engine_socket.getsockname()[1]}"
    key = folder / "demo.key"
    key.write_bytes(b"a key that everybody knows, for the demo")
    overrides = {"key_file": key, **plan.overrides, "upstream": {"url": engine}}
    server = Server(PolicyBook(plan.config, overrides), plan.options, listen(plan.options.host, plan.options.port))
    try:
        await server.run(lambda: _tell(engine, server.address, traces[0].prompt))
    finally:
        await runner.cleanup()


_CURL = "curl -sN {url}/v1/chat/completions -H 'content-type: application/json' -d '{body}'"
_SNIPPET = """from openai import OpenAI

for name, url in {{"original": "{engine}", "guarded": "{proxy}"}}.items():
    print("\\n==", name)
    client = OpenAI(base_url=url + "/v1", api_key="demo")
    prompt = {prompt!r}
    for chunk in client.chat.completions.create(model="demo", messages=[{{"role": "user", "content": prompt}}], stream=True):
        for choice in chunk.choices:
            print(getattr(choice.delta, "reasoning_content", None) or choice.delta.content or "", end="", flush=True)
"""


def _tell(engine: str, proxy: str, prompt: str) -> None:
    import orjson

    body = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": prompt}]}
    quoted = orjson.dumps(body).decode().replace("'", "'\\''")
    lines = (
        "The original stream of the scripted engine:\n",
        _CURL.format(url=engine, body=quoted),
        "\nThe guarded stream:\n",
        _CURL.format(url=proxy, body=quoted),
        "\nBoth with the OpenAI client (pip install openai):\n",
        _SNIPPET.format(engine=engine, proxy=proxy, prompt=prompt),
        "Stop with Ctrl-C.",
    )
    print("\n".join(lines), file=sys.stdout, flush=True)  # noqa: T201
