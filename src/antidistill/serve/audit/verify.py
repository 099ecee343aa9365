"""Checks an audit log from its first row to its last."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from antidistill.errors import InputError
from antidistill.serve.audit.log import head_path
from antidistill.serve.audit.rows import START, VERSION, Row, audit_key, head_is_sealed, read_head, read_row, seal


class Problem(NamedTuple):
    """One thing that is wrong.

    Attributes:
        line: of the file, from 1; one more than the last for what is missing at the end.
        kind: `changed`, `missing`, `reordered`, `forged`, `torn`, `unreadable`, `truncated` or `head`.
        told: a sentence.
    """

    line: int
    kind: str
    told: str


@dataclass(slots=True)
class Verdict:
    """What is known of a log.

    Attributes:
        rows: rows that were read.
        head: hash of the last one; note it elsewhere, and a later check can prove that it is still there.
        sealed: the seals were checked, which needs the key.
        end_known: the end was checked: against the head file, or against a hash that was given.
        problems: in order; empty: every row is as it was written, and none is missing.
    """

    rows: int = 0
    head: str = START
    sealed: bool = False
    end_known: bool = False
    problems: list[Problem] = field(default_factory=list)


def verify(path: Path, secret: bytes | None = None, expected: str = "") -> Verdict:
    """Checks a log.

    Args:
        path: the log.
        secret: content of the server's key file. Without it, rows that somebody changed together with all hashes that follow
            look right.
        expected: hash of a row that was noted earlier; it has to be in the log.

    Returns:
        What was found. A cut end shows only by the head file, or by `expected`.

    Raises:
        InputError: the file cannot be read, or is no audit log.
    """
    verdict = Verdict(sealed=secret is not None)
    key = audit_key(secret) if secret is not None else None
    chain = _Chain(key, verdict)
    seen = False
    try:
        with path.open("rb") as file:
            for line in file:
                chain.take(line)
                seen = seen or (bool(expected) and verdict.head == expected)
    except OSError as error:
        raise InputError(f"audit log {path} cannot be read ({error.strerror}).") from error
    chain.finish()
    if not verdict.rows and not head_path(path).exists():
        raise InputError(f"{path} is not an audit log: give the file that audit.file names in the policy file.")
    _check_end(path, key, verdict)
    if expected and not seen:
        verdict.problems.append(Problem(verdict.rows + 1, "truncated", f"the row with hash {expected} is not there."))
    verdict.end_known = verdict.end_known or seen
    return verdict


class _Chain:
    """Follows the chain; after a problem it goes on from the row that was read."""

    def __init__(self, key: bytes | None, verdict: Verdict) -> None:
        self._key, self._verdict = key, verdict
        self._line = self._n = 0
        self._torn: tuple[int, bytes] | None = None

    def take(self, line: bytes) -> None:
        """Takes the next line."""
        self._line += 1
        content = line.removesuffix(b"\n")
        row = read_row(content)
        if row is None:
            self._settle_torn(None)
            self._torn = (self._line, content)
            return
        self._settle_torn(row)
        self._verdict.rows += 1
        for kind, told in self._wrong(row, line):
            self._report(kind, told)
        self._n, self._verdict.head = row.fields["n"], row.fields["hash"]

    def finish(self) -> None:
        """The file has ended."""
        self._settle_torn(None)

    def _wrong(self, row: Row, line: bytes) -> Iterator[tuple[str, str]]:
        fields = row.fields
        n = fields["n"]
        if not row.intact:
            yield "changed", f"row {n} is not what was written: its hash does not fit it."
        if n > self._n + 1:
            first, last = self._n + 1, n - 1
            lost = f"row {last} is" if first == last else f"rows {first} to {last} are"
            yield "missing", f"{lost} missing before row {n}."
        elif n <= self._n:
            yield "reordered", f"row {n} stands behind row {self._n}."
        elif fields["prev"] != self._verdict.head:
            yield "changed", f"row {n} does not follow the row before it: one of them was changed or exchanged."
        if self._n == 0 and n == 1 and fields.get("antidistill_audit") != VERSION:
            yield "changed", "the first row is not the head row of a log."
        if self._key is not None and not hmac.compare_digest(seal(self._key, fields["hash"]), fields["seal"]):
            yield "forged", f"row {n} was not sealed with this key."
        if not line.endswith(b"\n"):
            yield "torn", f"row {n} has no end of line."

    def _settle_torn(self, row: Row | None) -> None:
        """A line that is no row is all right if the next row tells of it: the server died while it wrote."""
        torn, self._torn = self._torn, None
        if torn is None:
            return
        number, content = torn
        if row is None or row.fields.get("torn_sha256") != hashlib.sha256(content).hexdigest():
            self._report("unreadable", "the line is no row of an audit log.", number)

    def _report(self, kind: str, told: str, line: int = 0) -> None:
        self._verdict.problems.append(Problem(line or self._line, kind, told))


def _check_end(path: Path, key: bytes | None, verdict: Verdict) -> None:
    """Compares the last row with the head file."""
    try:
        noted = read_head(head_path(path).read_bytes())
    except OSError:
        return
    line = verdict.rows + 1
    if noted is None:
        verdict.problems.append(Problem(line, "head", f"{head_path(path)} is damaged: the end cannot be checked."))
        return
    head, sealed = noted
    if key is not None and not head_is_sealed(head, sealed, key):
        verdict.problems.append(Problem(line, "forged", f"{head_path(path)} was not sealed with this key."))
    elif head.hash != verdict.head:
        verdict.problems.append(
            Problem(line, "truncated", f"the log should end with row {head.n}: its end was cut or changed.")
        )
    verdict.end_known = True
