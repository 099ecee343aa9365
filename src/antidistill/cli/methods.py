"""`antidistill methods`: what there is to choose from."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer

from antidistill.cli.output import write_json


def methods(
    json: Annotated[
        str | None, typer.Option("--json", help="Write the table as JSON to this file; - is stdout.")
    ] = None,
) -> None:
    """List the methods: name, options with defaults, streams or not, what it needs."""
    rows = [describe(name) for name in _names()]
    if json is not None:
        write_json(json, rows)
    if json != "-":
        _print(rows)


def describe(name: str) -> dict[str, Any]:
    """Name, options with defaults, summary, whether it streams, and what is missing to use it."""
    from antidistill import registry
    from antidistill.defenses import make, options_of

    try:
        defense_class = registry.load("defenses", name)
    except ImportError as error:
        return {"name": name, "streams": None, "options": {}, "summary": "", "missing": str(error.name or error)}
    return {
        "name": name,
        "streams": make(name, key=b"any").streams,
        "options": options_of(defense_class),
        "summary": (inspect.getdoc(defense_class) or "").split("\n")[0],
        "missing": None,
    }


def _names() -> list[str]:
    from antidistill import registry

    return registry.names("defenses")


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("method", "options", "streams", "what it does", box=None, pad_edge=False)
    for row in rows:
        options = ", ".join(f"{option}={_shown(default)}" for option, default in row["options"].items())
        streams = "needs " + row["missing"] if row["missing"] else "yes" if row["streams"] else "no"
        table.add_row(row["name"], options or "-", streams, row["summary"])
    Console().print(table)


def _shown(default: object) -> str:
    return "unset" if default is None else str(default)
