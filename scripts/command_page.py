"""Writes docs/commands.md from the command line's own help, or checks that the page is true."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

from typer import Typer
from typer.main import get_command

from antidistill.cli.main import COMMANDS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
HEAD = "# Commands\n\nMade by `scripts/command_page.py` from `--help`; `make docs` writes it anew.\n"


def page() -> str:
    """The page as it should be."""
    parts = [HEAD, _section("antidistill", [])]
    for name in COMMANDS:
        parts += [_section(" ".join(["antidistill", *path]), path) for path in _paths(name)]
    return "\n".join(parts)


def _paths(name: str) -> list[list[str]]:
    """The command itself, and its sub-commands where it has some."""
    module, attribute = COMMANDS[name].split(":")
    command = getattr(import_module(module), attribute)
    subcommands = get_command(command).commands if isinstance(command, Typer) else []
    return [[name], *([name, subcommand] for subcommand in subcommands)]


def _section(title: str, arguments: list[str]) -> str:
    environment = {
        "COLUMNS": "100",
        "TERMINAL_WIDTH": "100",
        "NO_COLOR": "1",
        "PATH": "/usr/bin:/bin",
        "PYTHONIOENCODING": "utf-8",
    }
    command = [sys.executable, "-c", "from antidistill.cli.main import main; main()", *arguments, "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return f"## {title}\n\n```text\n{lines}\n```\n"


def main() -> int:
    """`--write` writes the page; `--check` exits 1 where it is not true."""
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page():
        print("docs/commands.md does not say what --help says; run make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
