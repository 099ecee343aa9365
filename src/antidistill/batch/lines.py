"""Guards JSON lines: bytes in, bytes out. A line that does not change leaves byte for byte as it came."""

from __future__ import annotations

import binascii
import functools
import io
from collections.abc import Sequence

import orjson

from antidistill.batch.account import Account
from antidistill.batch.guardian import Guardian
from antidistill.batch.results import Done
from antidistill.errors import DefenseError, RowError
from antidistill.formats import Change
from antidistill.formats.jsonl import decode, drop, splice

_PROBE = 64
"""Bytes; a beginning that is searched for instead of a whole text."""


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
    edited, what, removed = guardian.guard(decode(line), str(number))
    guarded, exact = _spliced(line, what, proof=guardian.recorder is not None)
    if removed:
        guarded, exact = drop(guarded, removed), False
    account.accept(number, edited, None if exact else line)
    return guarded


def _spliced(line: bytes, what: Sequence[Change], proof: bool) -> tuple[bytes, bool]:
    """The line after the changes; and if `proof` is wanted, whether changing it back gives the line byte for byte."""
    if not what:
        return line, True
    if len(what) == 1:
        guarded = _spliced_reversibly(line, what[0])
        if guarded is not None:
            return guarded, True
    guarded = splice(line, what)
    return guarded, not proof or _restored(guarded, what) == line


def _spliced_reversibly(line: bytes, change: Change) -> bytes | None:
    """What `splice` gives, if it is plain that splicing back gives the line again; None if that has to be tried.

    It is plain where both texts are written the way orjson writes them, each stands once in its line, and neither line is
    ASCII for lack of the other's text.
    """
    keys = _keys(change.path[-1])
    token, new = orjson.dumps(change.old), orjson.dumps(change.new)
    at = _only_place(line, keys, token)
    if at < 0:
        return None
    spliced = b"".join((line[:at], new, line[at + len(token) :]))
    plain = new.isascii() and token.isascii() if line.isascii() else not spliced.isascii()
    return spliced if plain and _only_place(spliced, keys, new) == at else None


def _only_place(line: bytes, keys: tuple[bytes, ...], token: bytes) -> int:
    """Where the string stands behind its key, if its beginning stands nowhere else; else -1."""
    probe = token[:_PROBE]
    at = line.find(probe)
    if at < 0 or len(token) <= _PROBE or line.find(probe, at + 1) >= 0:
        return -1
    return at if line.endswith(keys, 0, at) and line.startswith(token, at) else -1


@functools.lru_cache(maxsize=256)
def _keys(step: str | int) -> tuple[bytes, ...]:
    """A key as it stands in front of its value; nothing for a place in an array."""
    return (orjson.dumps(step) + b":", orjson.dumps(step) + b": ") if isinstance(step, str) else ()


def _restored(guarded: bytes, what: Sequence[Change]) -> bytes:
    """The line before `what` was changed, found the way a restore finds it."""
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
