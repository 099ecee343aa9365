"""Writes what a run found: `results.json`, `results.md`, and per world the payoffs that `antidistill game` reads."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import orjson

from antidistill.errors import OutputError
from antidistill.lab.table.page import page


def record(results: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Writes the results into `folder` and returns them with the machine that they were made on.

    Raises:
        OutputError: a file cannot be written.
    """
    whole = {"machine": machine(), **results}
    try:
        _write(folder / "results.json", whole)
        for name, world in results["worlds"].items():
            _write(folder / f"payoffs-{_file_name(name)}.json", world["payoffs"])
        (folder / "results.md").write_text(page(whole), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"the results cannot be written into {folder} ({error.strerror}).") from error
    return whole


def machine() -> dict[str, str | int]:
    """Processor, cores, Python and torch."""
    return {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 1,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "torch": metadata.version("torch"),
    }


def _file_name(world: str) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in world)


def _write(path: Path, content: Any) -> None:
    draft = path.with_name(f".{path.name}.writing")
    draft.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    draft.replace(path)
