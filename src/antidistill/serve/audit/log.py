"""Writes the audit log. Several processes may write to the same file."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from antidistill.errors import OutputError
from antidistill.serve.audit.rows import (
    START,
    VERSION,
    Head,
    audit_key,
    head_line,
    line_of,
    read_head,
    read_row,
    text_hash,
)
from antidistill.trace import Edit


class AuditText(NamedTuple):
    """One reasoning text of a response: as the engine sent it, as it left, and the edits between."""

    field: str
    original: str
    guarded: str
    edits: Sequence[Edit]


def head_path(path: Path) -> Path:
    """Where the end of the log `path` is noted: `<path>.head`."""
    return path.with_name(path.name + ".head")


class AuditLog:
    """An audit log that is open for appending.

    The end of the log is noted beside it, so that a log whose last rows were cut off is found out. A row that a crash left
    unfinished stays; the next one tells of it.

    Args:
        path: the log; made with mode 0600 if it is missing.
        secret: content of the server's key file.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path, secret: bytes) -> None:
        self.path = path
        self._key = audit_key(secret)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            self._file = os.open(path, flags | os.O_APPEND, 0o600)
            self._head = os.open(head_path(path), flags, 0o600)
        except OSError as error:
            raise OutputError(f"audit log {path} cannot be written ({error.strerror}): name another file.") from error
        with self._locked() as head:
            if head.n == 0:
                self._append(head, {"antidistill_audit": VERSION, "log": os.urandom(16).hex()})

    def write(
        self,
        *,
        request_id: str,
        tenant: str,
        route: str,
        policy: str,
        outcome: str,
        texts: Sequence[AuditText] = (),
    ) -> None:
        """Appends the row of one request.

        Args:
            request_id: as in logs and headers.
            tenant: `Client.tenant`.
            route: path.
            policy: hash of the policy.
            outcome: as in the metrics.
            texts: its reasoning; only offsets, lengths and keyed hashes of it are written.

        Raises:
            OutputError: the disk is full, or the file is gone.
        """
        row = {
            "request_id": request_id,
            "tenant": tenant,
            "route": route,
            "policy": policy,
            "outcome": outcome,
            "texts": [self._text(text) for text in texts],
        }
        with self._locked() as head:
            self._append(head, row)

    def close(self) -> None:
        """Puts the log on the disk and closes it."""
        for descriptor in (self._file, self._head):
            os.fsync(descriptor)
            os.close(descriptor)

    def _text(self, text: AuditText) -> dict[str, Any]:
        removed = "".join(text.original[edit.start : edit.end] for edit in text.edits)
        return {
            "field": text.field,
            "edits": [(edit.start, edit.end, len(edit.replacement), edit.reason) for edit in text.edits],
            "removed_hmac": text_hash(self._key, removed),
            "original_hmac": text_hash(self._key, text.original),
            "guarded_hmac": text_hash(self._key, text.guarded),
        }

    @contextmanager
    def _locked(self) -> Iterator[Head]:
        """The end of the log, held against other writers."""
        try:
            fcntl.flock(self._head, fcntl.LOCK_EX)
            try:
                yield self._end()
            finally:
                fcntl.flock(self._head, fcntl.LOCK_UN)
        except OSError as error:
            raise OutputError(f"audit log {self.path} cannot be written ({error.strerror}).") from error

    def _end(self) -> Head:
        noted = read_head(os.pread(self._head, 4096, 0))
        head = noted[0] if noted else Head(0, START, 0)
        size = os.fstat(self._file).st_size
        return self._caught_up(head, size) if size > head.size else head

    def _caught_up(self, head: Head, size: int) -> Head:
        """The end after rows that were written and not noted, because a process died between the two."""
        rest = os.pread(self._file, size - head.size, head.size)
        *lines, torn = rest.split(b"\n")
        for line in lines:
            row = read_row(line)
            if row is not None and row.intact and row.fields["prev"] == head.hash:
                head = Head(row.fields["n"], row.fields["hash"], head.size + len(line) + 1)
        if not torn:
            return head._replace(size=size)
        os.write(self._file, b"\n")
        return self._append(
            head._replace(size=size + 1), {"torn_bytes": len(torn), "torn_sha256": hashlib.sha256(torn).hexdigest()}
        )

    def _append(self, head: Head, fields: dict[str, Any]) -> Head:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line, row_hash = line_of({"n": head.n + 1, "time": now, **fields, "prev": head.hash}, self._key)
        written = os.write(self._file, line)
        if written < len(line):
            raise OSError(28, "the disk is full")
        new = Head(head.n + 1, row_hash, os.fstat(self._file).st_size)
        os.pwrite(self._head, head_line(new, self._key), 0)
        return new
