"""`antidistill serve`: a streaming reverse proxy that guards reasoning in flight."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from antidistill.errors import MissingExtra, UsageError


def serve(
    upstream: Annotated[
        str | None, typer.Option(metavar="URL", help="Engine, for instance http://127.0.0.1:8000.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Policy file (YAML); the other options win over it.")] = None,
    method: Annotated[str | None, typer.Option(help="What is done to the reasoning; see antidistill methods.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Option of the method; may be repeated.")
    ] = None,
    mix: Annotated[float | None, typer.Option(help="Guard each trace with this probability only.")] = None,
    unopened: Annotated[
        str | None,
        typer.Option(
            metavar="hold|answer|reasoning",
            help="What answer text without an opening delimiter is taken for: answer where the engine has a reasoning parser, "
            "reasoning where its chat template opens the reasoning; hold waits until it is known.",
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            help="Secret key of at least 16 bytes; without it the key beside the policy file, or a new one in memory."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8700,
    metrics_port: Annotated[int, typer.Option(help="Port of /metrics; 0: no metrics.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes.")] = 1,
    ollama: Annotated[bool, typer.Option("--ollama", help="Serve Ollama's /api/chat too.")] = False,
    openapi: Annotated[
        bool, typer.Option("--openapi", help="Print the OpenAPI document of the routes as JSON, and serve nothing.")
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Start a scripted engine that replays traces, and guard it.")
    ] = False,
) -> None:
    """Put a guard before an engine: same API, same answers byte for byte, edited reasoning, also while it streams."""
    try:
        import aiohttp  # noqa: F401
    except ImportError:
        raise MissingExtra("antidistill serve", "aiohttp", "serve") from None
    if openapi:
        import json

        from antidistill.serve.app.openapi import document

        typer.echo(json.dumps(document(ollama), indent=2))
        return
    if workers < 1:
        raise UsageError(f"--workers {workers} is not allowed: give 1 or more.")
    overrides = _overrides(upstream, method, settings, mix, unopened, key_file)
    from antidistill.serve.app.run import Plan, run, run_demo
    from antidistill.serve.app.settings import Options

    plan = Plan(config, overrides, Options(host, port, metrics_port, ollama or demo), workers)
    if demo:
        if upstream or workers > 1:
            raise UsageError(
                "--demo brings its own engine and runs in one process: leave --upstream and --workers out."
            )
        run_demo(plan)
    else:
        run(plan)


def _overrides(
    upstream: str | None,
    method: str | None,
    settings: list[str] | None,
    mix: float | None,
    unopened: str | None,
    key_file: Path | None,
) -> dict[str, Any]:
    """What the command line says, in the shape of a policy file."""
    from antidistill.cli.guard import parse_settings

    options = parse_settings(settings or [])
    if options and method is None:
        raise UsageError("--set belongs to --method: name the method, or write its options into the policy file.")
    default: dict[str, Any] = {
        "method": method,
        "mix": mix,
        "unopened": unopened,
        "options": options if method else None,
    }
    overrides: dict[str, Any] = {"default": {name: value for name, value in default.items() if value is not None}}
    if upstream is not None:
        overrides["upstream"] = {"url": upstream}
    if key_file is not None:
        overrides["key_file"] = key_file
    return overrides
