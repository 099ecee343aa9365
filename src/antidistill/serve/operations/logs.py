"""JSON logs without text of prompts, reasoning or answers, and without keys.

Only the fields of `FIELDS` can be logged. Lines of other libraries keep logger, level and place, and lose their message: it may
quote what they were given. A traceback keeps files, lines and the type of the error, and loses its message for the same reason.
"""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from antidistill.errors import BadPolicy, KeyFileError, UnknownName

_OWN = "antidistill"
_LOGGER = logging.getLogger("antidistill.serve")
_MAX_CHARACTERS = 200
_SAFE_ERRORS = (BadPolicy, KeyFileError, UnknownName)
"""Errors about files of the operator, whose message quotes no client."""

FIELDS = frozenset(
    {
        "bytes_in",
        "bytes_out",
        "client",
        "code",
        "dialect",
        "edits",
        "error",
        "events",
        "hash",
        "host",
        "misses",
        "model",
        "pending",
        "policy",
        "port",
        "reason",
        "remaining",
        "request_id",
        "restored",
        "retries",
        "route",
        "seconds",
        "status",
        "stream",
        "tenant",
        "ttft",
        "upstream",
        "version",
        "workers",
    }
)
"""What a log line may say: names, numbers, ids. `client` is `Client.fingerprint`; `error` is the name of a class."""


def log(
    event: str, level: int = logging.INFO, error: BaseException | None = None, **fields: str | float | bool | None
) -> None:
    """Logs one event.

    Args:
        event: what happened, in a few fixed words.
        level: as in `logging`.
        error: what went wrong; its type and place are logged, not its message.
        fields: names from `FIELDS`.

    Raises:
        UnknownName: a field that is not in `FIELDS`.
    """
    for name in fields:
        if name not in FIELDS:
            raise UnknownName("log field", name, FIELDS)
    extra = {"fields": {name: value for name, value in fields.items() if value is not None}}
    _LOGGER.log(level, event, extra=extra, exc_info=error)


class JsonLines(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if record.name.split(".")[0] == _OWN:
            line["event"] = str(record.msg)
            line |= {name: _short(value) for name, value in getattr(record, "fields", {}).items()}
        else:
            line |= {"logger": record.name, "at": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _told(record.exc_info[1])
        return orjson.dumps(line, default=lambda value: type(value).__name__).decode()


def configure_logs(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Sends all log lines of the process as JSON to `stream` (stderr)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    _LOGGER.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "aiohttp.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return "".join(c if c.isprintable() else "?" for c in value[:_MAX_CHARACTERS])
    return value


def _told(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    told: dict[str, Any] = {"type": type(error).__name__}
    if isinstance(error, _SAFE_ERRORS):
        told["message"] = str(error)
    told["at"] = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
    if error.__cause__ is not None:
        told["cause"] = type(error.__cause__).__name__
    return told
