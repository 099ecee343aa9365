"""Results that take long, kept as they come: one JSON line each, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from antidistill.errors import OutputError, UsageError


class Journal:
    """Records of one job, in a file that names the job in its first line, or in memory where there is no file.

    A record is one line in one write that is on disk before `append` returns; a torn last line is cut off.

    Args:
        path: the file, made on the first record; None for none.
        job: what the records belong to, as plain JSON values; a file of another job is refused.

    Raises:
        UsageError: the file belongs to another job, or is no journal.
        OutputError: it cannot be read.
    """

    def __init__(self, path: Path | None, job: Mapping[str, Any]) -> None:
        self._path, self._job = path, orjson.loads(orjson.dumps(job, option=orjson.OPT_SERIALIZE_NUMPY))
        self._records: list[dict[str, Any]] = []
        if path is not None and path.exists():
            self._records = self._read(path)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All records, in the order in which they came."""
        return iter(list(self._records))

    def append(self, record: Mapping[str, Any]) -> None:
        """Adds a record of plain JSON values (or numpy arrays).

        Raises:
            OutputError: the file cannot be written.
        """
        line = orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)
        if self._path is not None:
            self._write(self._path, line)
        self._records.append(orjson.loads(line))

    def _write(self, path: Path, line: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                if file.tell() == 0:
                    line = orjson.dumps({"job": self._job}, option=orjson.OPT_APPEND_NEWLINE) + line
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written ({error.strerror or error}): name a file that can be."
            ) from error

    def _read(self, path: Path) -> list[dict[str, Any]]:
        """The records of a file; what is torn is cut off."""
        try:
            lines = path.read_bytes().split(b"\n")[:-1]
        except OSError as error:
            raise OutputError(f"{path} cannot be read ({error.strerror or error}): name another file.") from error
        rows = self._checked(path, lines)
        os.truncate(path, sum(len(line) + 1 for line in lines))
        return rows

    def _checked(self, path: Path, lines: Sequence[bytes]) -> list[dict[str, Any]]:
        """The records, if the first line names this job."""
        try:
            rows = [orjson.loads(line) for line in lines]
            given = rows[0]["job"] if rows else self._job
            if not all(isinstance(row, dict) for row in [given, *rows]):
                raise ValueError("a line is no object")
        except (ValueError, LookupError, TypeError) as error:
            raise UsageError(f"{path} is no journal of results ({error}): name another file, or delete it.") from error
        other = sorted(name for name in given.keys() | self._job.keys() if given.get(name) != self._job.get(name))
        if other:
            raise UsageError(
                f"{path} holds results made with another {', '.join(other)}: give the same options, or name another file."
            )
        return rows[1:]


def fingerprint(*parts: object) -> str:
    """Hexadecimal name of plain values: equal for equal ones."""
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SERIALIZE_NUMPY)).hexdigest()[:32]
