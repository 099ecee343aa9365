"""Where results go: a named file, or stdout for `-`."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from antidistill.errors import InputError, OutputError, UsageError


def json_file(target: str | None) -> Path | None:
    """The file that `--json` names; None for stdout and where it is not given."""
    return None if target in {None, "-"} else Path(str(target))


def keep_apart(target: Path | None, *inputs: Path | None) -> None:
    """Checks, before any work is done, that a result does not replace what it is made from.

    Raises:
        UsageError: `target` is one of the inputs, or a shard of one.
        OutputError: the folder of `target` is missing.
    """
    if target is None:
        return
    for given in filter(None, inputs):
        if target.resolve() in _files_of(given):
            raise UsageError(f"{target} is one of the inputs: name another file for the result.")
    if not target.absolute().parent.is_dir():
        raise OutputError(f"the folder of {target} does not exist: make it first, or choose another place.")


def _files_of(given: Path) -> set[Path]:
    from antidistill.formats import sources

    found = {given.resolve()}
    with suppress(InputError):  # the command that reads it says what is wrong
        found |= {path.resolve() for path in sources(given)}
    return found


def write_json(target: str, value: Any) -> None:
    """Writes `value` as indented JSON to the file `target`, or to stdout where it is `-`.

    Raises:
        OutputError: the file cannot be written.
    """
    content = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)
    if target == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        Path(target).write_bytes(content)
    except OSError as error:
        raise OutputError(
            f"{target!r} cannot be written ({error.strerror}); name a file in a folder you can write to."
        ) from error
