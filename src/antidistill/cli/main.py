"""The command line: a lazy table of commands, and one sentence for every error.

Exit codes: 0 done, 1 finished with rejected rows, 2 bad usage or input, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module, metadata

import typer

from antidistill.errors import AntidistillError, UnknownName

COMMANDS = {
    "guard": "antidistill.cli.guard:guard",
    "restore": "antidistill.cli.restore:restore",
    "detect": "antidistill.cli.detect:detect",
    "report": "antidistill.cli.report:report",
    "anchors": "antidistill.cli.anchors:anchors",
    "serve": "antidistill.cli.serve:serve",
    "sample": "antidistill.cli.sample:sample",
    "methods": "antidistill.cli.methods:methods",
    "distill": "antidistill.cli.distill:distill",
    "bounds": "antidistill.cli.bounds:bounds",
    "game": "antidistill.cli.game:game",
    "lab": "antidistill.cli.lab:lab",
    "audit": "antidistill.cli.audit:audit",
}
HELP = "Edits the reasoning that a model shows so that training on it works worse, and measures the edit."


def build(names: Sequence[str] = tuple(COMMANDS)) -> typer.Typer:
    """The application with the named commands; only their modules are imported."""
    app = typer.Typer(help=HELP, add_completion=False, rich_markup_mode=None)
    app.callback()(_options)
    for name in names:
        module, attribute = COMMANDS[name].split(":")
        command = getattr(import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(metadata.version("antidistill"))
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Options that stand before a command."""


def run(arguments: Sequence[str]) -> int:
    """Runs one command and returns its exit code."""
    command = next((argument for argument in arguments if not argument.startswith("-")), None)
    try:
        if command is not None and command not in COMMANDS:
            raise UnknownName("command", command, COMMANDS)
        app = build([command] if command else tuple(COMMANDS))
        result = typer.main.get_command(app).main(
            list(arguments) or ["--help"], prog_name="antidistill", standalone_mode=False
        )
    except AntidistillError as error:
        return _fail(str(error))
    except typer.Abort:
        return _fail("interrupted; finished work is kept, run again with --resume.", 130)
    except Exception as error:
        usage = getattr(error, "format_message", None)
        if usage is None:
            raise
        return _fail(f"{usage().rstrip('.')}; see antidistill {f'{command} ' if command else ''}--help.")
    return result if isinstance(result, int) else 0


def _fail(message: str, code: int = 2) -> int:
    print(f"antidistill: {message}", file=sys.stderr)  # noqa: T201
    return code


def main() -> None:
    """Entry point of the `antidistill` script."""
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _fail("interrupted; finished work is kept, run again with --resume.", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
