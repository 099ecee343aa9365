"""`antidistill methods`: what there is to choose from."""

from __future__ import annotations

import inspect
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from antidistill.cli.output import write_json

TEXT, WHITE_BOX = "text", "white-box"
"""What edits finished text, and what acts on a teacher's logits."""
_TABLES = {TEXT: "defenses", WHITE_BOX: "samplers"}


def methods(
    json: Annotated[
        str | None, typer.Option("--json", help="Write the table as JSON to this file; - is stdout.")
    ] = None,
) -> None:
    """List the methods: name, options with defaults, streams or not, what it needs."""
    from antidistill import registry

    rows = [describe(kind, name) for kind, table in _TABLES.items() for name in registry.names(table)]
    if json is not None:
        write_json(json, rows)
    if json != "-":
        _print([row for row in rows if row["kind"] == TEXT], "guard --method")
        _print([row for row in rows if row["kind"] == WHITE_BOX], "sample --method")


def describe(kind: str, name: str) -> dict[str, Any]:
    """Name, options with defaults, summary, whether it streams, what it needs, and what is missing to use it."""
    from antidistill import registry

    row: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "streams": None,
        "options": {},
        "needs": [],
        "summary": "",
        "missing": None,
    }
    try:
        method_class = registry.load(_TABLES[kind], name)
    except ImportError as error:
        return {**row, "missing": str(error.name or error)}
    summary = (inspect.getdoc(method_class) or "").split("\n")[0]
    return {**row, "summary": summary, **(_of_text if kind == TEXT else _of_white_box)(name, method_class)}


def _of_text(name: str, method_class: type) -> dict[str, Any]:
    from antidistill import registry
    from antidistill.defenses import make

    return {"streams": make(name, key=b"any").streams, "options": registry.options_of(method_class)}


def _of_white_box(name: str, method_class: Any) -> dict[str, Any]:
    from antidistill import registry
    from antidistill.sampling import make

    missing = None if find_spec("torch") else "torch"
    options = registry.options_of(method_class)
    return {
        "streams": not make(name).post_hoc,
        "options": options,
        "needs": list(method_class.aids),
        "missing": missing,
    }


def _print(rows: list[dict[str, Any]], head: str) -> None:
    from rich.table import Table

    from antidistill.cli.console import ResultConsole

    table = Table(head, "options", "streams", "what it does", box=None, pad_edge=False)
    for row in rows:
        options = ", ".join(f"{option}={_shown(default)}" for option, default in row["options"].items())
        streams = "needs " + row["missing"] if row["missing"] else "yes" if row["streams"] else "no"
        table.add_row(row["name"], options or "-", streams, row["summary"])
    console = ResultConsole()
    console.print(table)
    console.print()


def _shown(default: object) -> str:
    return "unset" if default is None else str(default)
