"""Where results go: a named file, or stdout for `-`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from antidistill.errors import OutputError


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
