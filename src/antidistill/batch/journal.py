"""The journal of a run: which rows are done, and how long every file was then.

One JSON line per finished chunk, written after the chunk's bytes. Whatever lies behind the lengths of the last line is half
a chunk and is cut off when the run is resumed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from antidistill.batch.drafts import explained
from antidistill.errors import OutputError, UsageError


class Journal:
    """An append-only file of records, locked while it is open; the first record describes the job."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("a+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise OutputError(f"another run is writing this output ({path.parent}): wait for it to end.") from error

    def records(self) -> list[dict[str, Any]]:
        """All whole records; a torn last line is cut off."""
        self._file.seek(0)
        lines = [line for line in self._file if line.endswith(b"\n")]
        self._file.truncate(sum(map(len, lines)))
        return [orjson.loads(line) for line in lines]

    def rewrite(self, records: Iterable[dict[str, Any]]) -> None:
        """Replaces all records."""
        self._file.truncate(0)
        for record in records:
            self.append(record)

    def append(self, record: dict[str, Any]) -> None:
        """Adds a record."""
        with explained(self._path):
            self._file.write(orjson.dumps(record) + b"\n")

    def sync(self) -> None:
        """Returns once all records are on the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Releases the lock."""
        self._file.close()


def check_same_job(recorded: dict[str, Any], job: dict[str, Any]) -> None:
    """Raises UsageError if the interrupted run was another job, and names what differs."""
    differ = sorted(name for name in recorded.keys() | job.keys() if recorded.get(name) != job.get(name))
    if differ:
        raise UsageError(
            f"the interrupted run had another {' and '.join(differ)}: resume it with the options it was started with, "
            "or start again with --force."
        )
