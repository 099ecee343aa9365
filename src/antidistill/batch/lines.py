"""Guards JSON lines: bytes in, bytes out. A line that does not change leaves byte for byte as it came."""

from __future__ import annotations

import binascii
import io
from collections.abc import Sequence

from antidistill.batch.account import Account
from antidistill.batch.guardian import Guardian
from antidistill.batch.results import Done
from antidistill.errors import DefenseError, RowError
from antidistill.formats import Change
from antidistill.formats.jsonl import decode, drop, splice


def guard_lines(guardian: Guardian, data: bytes, shard: int, before: int) -> Done:
    """Guards whole lines.

    Args:
        guardian: guards the rows.
        data: lines of one shard; blank ones are kept and are no rows.
        shard: number of the shard.
        before: number of lines of the shard before these.
    """
    account = Account(guardian, shard)
    out: list[bytes] = []
    for number, line in enumerate(io.BytesIO(data), before + 1):
        try:
            out.append(line if line.isspace() else _guarded(guardian, line, number, account))
        except (RowError, DefenseError) as error:
            account.reject(number, str(error), raw_line(line))
    account.tally.bytes = len(data)
    return Done(b"".join(out), b"".join(account.ledger), b"".join(account.rejected), account.tally)


def _guarded(guardian: Guardian, line: bytes, number: int, account: Account) -> bytes:
    row = guardian.guard(decode(line), str(number))
    guarded = splice(line, row.changes) if row.changes else line
    if row.removed:
        guarded = drop(guarded, row.removed)
    exact = guardian.recorder is None or _restored(guarded, row.changes) == line
    account.accept(number, row.edited, None if exact else line)
    return guarded


def _restored(guarded: bytes, what: Sequence[Change]) -> bytes:
    """The line before `what` was changed, found the way a restore finds it."""
    if not what:
        return guarded
    try:
        return splice(guarded, [Change(change.path, change.new, change.old) for change in what])
    except RowError:
        return b""


def raw_line(line: bytes) -> dict[str, str]:
    """A line for the file of rejected rows: as text where it is UTF-8, else as base64."""
    try:
        return {"raw": line.decode()}
    except UnicodeDecodeError:
        return {"raw_base64": binascii.b2a_base64(line, newline=False).decode()}
