"""Guards JSON lines: bytes in, bytes out. A line that does not change leaves byte for byte as it came."""

from __future__ import annotations

import binascii
import functools
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import orjson

from antidistill.batch.account import Account
from antidistill.batch.guardian import Given, GuardedRow, Guardian, Outcome
from antidistill.batch.results import Done
from antidistill.errors import AntidistillError, RowError
from antidistill.formats import Change
from antidistill.formats.jsonl import decode, drop, edit_string, encode_ascii, splice

_BLOCK_LINES = 16
"""Lines that are guarded step by step together: few enough to stay in the processor's cache."""
_PROBE = 64
"""Characters; a beginning that is searched for instead of a whole text."""


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
    position = 0
    many = 1
    many = _BLOCK_LINES
    while position < len(data):
        quick = guardian.quick.lines(data, position, before + 1, shard)
        if quick is not None:
            out.append(quick.out)
            account.add(quick.ledger, quick.counts)
            many = 1 if quick.position > position else _BLOCK_LINES
            position, before = quick.position, quick.number - 1
        block = _lines(data, position, many)
        out += _guard_block(guardian, block, before, account)
        position, before = position + sum(map(len, block)), before + len(block)
    account.tally.bytes = len(data)
    return Done(b"".join(out), b"".join(account.ledger), b"".join(account.rejected), account.tally)


def _lines(data: bytes, position: int, many: int) -> list[bytes]:
    """The next lines, so many at most."""
    file = io.BytesIO(data)  # shares the bytes
    file.seek(position)
    return list(islice(file, many))


def _guard_block(guardian: Guardian, lines: Sequence[bytes], before: int, account: Account) -> Iterator[bytes]:
    outcomes = guardian.guard(map(_row, lines), before)
    proof = guardian.recorder is not None
    results = [_written(line, outcome, proof) for line, outcome in zip(lines, outcomes, strict=True)]
    for number, (line, outcome, written) in enumerate(zip(lines, outcomes, results, strict=True), before + 1):
        if isinstance(written, AntidistillError):
            account.reject(number, str(written), raw_line(line))
            continue
        if isinstance(outcome, GuardedRow):
            account.accept(number, outcome.edited, None if written.is_exact else line)
        yield written.line


class _Written(NamedTuple):
    """A line as it leaves, and whether changing it back gives the line as it came, byte for byte."""

    line: bytes
    is_exact: bool


def _row(line: bytes) -> Given:
    if line.isspace():
        return None
    try:
        return decode(line)
    except RowError as error:
        return error


def _written(line: bytes, outcome: Outcome, proof: bool) -> _Written | AntidistillError:
    if outcome is None:
        return _Written(line, True)
    if isinstance(outcome, AntidistillError):
        return outcome
    try:
        written = _spliced(line, outcome.changes, proof)
        return _Written(drop(written.line, outcome.removed), False) if outcome.removed else written
    except RowError as error:
        return error


def _spliced(line: bytes, what: Sequence[Change], proof: bool) -> _Written:
    """The line after the changes; `is_exact` is only looked at if `proof` is wanted."""
    if not what:
        return _Written(line, True)
    if len(what) == 1 and what[0].edits:
        guarded = _spliced_reversibly(line, what[0])
        if guarded is not None:
            return _Written(guarded, True)
    guarded = splice(line, what)
    return _Written(guarded, not proof or _restored(guarded, what) == line)


def _spliced_reversibly(line: bytes, change: Change) -> bytes | None:
    """What `splice` gives, if it is plain that splicing back gives the line again; None if that has to be tried.

    It is plain where both texts are written the way orjson or json.dumps writes them, each stands once in its line, and
    the line does not become ASCII for lack of the text.
    """
    path, old, new, edits = change
    is_ascii = line.isascii()
    encode = encode_ascii if is_ascii else orjson.dumps
    begin = encode(old[:_PROBE])[:-1]
    at = line.find(begin)
    if at < 0 or not line.endswith(_keys(path[-1]), 0, at):
        return None
    edited = edit_string(line, at, old, edits, is_ascii)
    if edited is None or line.find(begin, edited.old_end) >= 0 or (not is_ascii and edited.line.isascii()):
        return None
    if edits[0][0] < _PROBE:
        begin = encode(new[:_PROBE])[:-1]
        if edited.line.find(begin) != at or edited.line.find(begin, edited.new_end) >= 0:
            return None
    return edited.line


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
