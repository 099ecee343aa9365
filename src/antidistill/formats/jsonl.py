"""JSON lines: reading a line, and changing it while every byte that need not change stays as it came."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import orjson

from antidistill.errors import RowError
from antidistill.formats.columns import IDS, folded
from antidistill.formats.found import Change, KeyPath
from antidistill.formats.scan import spans
from antidistill.trace import Span

_splice: Callable[..., tuple[bytes, int, int] | None] | None = None
with suppress(ImportError):  # no compiler was there at installation
    from antidistill._edits import splice as _splice

_KINDS = {list: "an array", str: "text", bool: "true or false", int: "a number", float: "a number", type(None): "null"}
_COLON = re.compile(rb"\s*:")
_COMMA = re.compile(rb"\s*,\s*")
_NEVER_BETWEEN_STRINGS = re.compile(rb"[^\s{}\[\],:0-9+\-.eEtrufalsnNIiy]")
_BEFORE_A_VALUE = frozenset(b":[, \t\r\n")
_PROBE = 64  # bytes; a short needle is found without a table for the whole text
_MUST_BE_ESCAPED = {code: json.dumps(chr(code))[1:-1] for code in (*range(0x20), ord('"'), ord("\\"))}
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")


def decode(line: bytes) -> dict[str, Any]:
    """The row that a line holds.

    NaN, Infinity and a byte order mark are accepted. Integers beyond 64 bits become floats in the row, but not as its
    ids; `splice` keeps them as they are written.

    Raises:
        RowError: the line is not UTF-8, not whole JSON, holds half a surrogate pair, or is not an object.
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        row = _decode_leniently(line, error)
    if type(row) is dict:
        return _with_exact_ids(row, line) if float in map(type, row.values()) else row
    raise RowError(f"the line holds {_KINDS[type(row)]}, but every line must hold one JSON object.")


def _with_exact_ids(row: dict[str, Any], line: bytes) -> dict[str, Any]:
    """The row with the digits of ids that became floats."""
    rounded = [name for name, value in row.items() if type(value) is float and folded(name) in IDS]
    if rounded:
        exact = json.loads(line)
        row |= {name: exact[name] for name in rounded}
    return row


def _decode_leniently(line: bytes, error: orjson.JSONDecodeError) -> Any:
    try:
        row = json.loads(line.decode("utf-8-sig"))
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeDecodeError as bad:
        raise RowError(f"byte {bad.start + 1} of the line is not UTF-8: convert the file to UTF-8 first.") from None
    except UnicodeEncodeError:
        raise RowError("the line holds half of a surrogate pair (\\ud800 to \\udfff), which is no character.") from None
    except (ValueError, RecursionError):
        raise RowError(f"the line is not whole JSON: {error}.") from None
    return row


def splice(line: bytes, changes: Sequence[Change]) -> bytes:
    """The line with the strings of `changes` replaced and every other byte as it came.

    A new string is escaped the way the old one is, so that nothing tells which rows changed.

    Raises:
        RowError: a path of `changes` does not lead to its old string.
    """
    places: dict[tuple[str, str], list[KeyPath]] = {}
    for path, old, new, _ in changes:
        places.setdefault((old, new), []).append(path)
    for (old, new), paths in places.items():
        line = _spliced_by_value(line, old, new, paths) or _spliced_by_path(line, old, new, set(paths))
    return line


class EditedLine(NamedTuple):
    """A line after the edits of one of its strings, and where that string ended and ends now."""

    line: bytes
    old_end: int
    new_end: int


def edit_string(line: bytes, at: int, text: str, edits: Sequence[Span], ascii_only: bool) -> EditedLine | None:
    """The line after edits of the string `text` at byte `at`; a quick way that gives up (None) where it is not plain.

    It gives up unless `text` is written the way json.dumps (`ascii_only`) or orjson writes it, or where there is no compiler.
    """
    found = _splice(line, at, text, edits, ascii_only) if _splice is not None and at >= 0 else None
    return None if found is None else EditedLine._make(found)


def drop(line: bytes, paths: Collection[KeyPath]) -> bytes:
    """The line without these values: a member of the row is removed, a deeper value becomes null."""
    for span in sorted((s for s in spans(line) if s.path in paths), key=lambda s: s.start, reverse=True):
        line = (
            _without_member(line, span.member, span.end) if len(span.path) == 1 else _null(line, span.start, span.end)
        )
    return line


def _spliced_by_value(line: bytes, old: str, new: str, paths: list[KeyPath]) -> bytes | None:
    """Replaces the string `old` if it stands in just as many places as there are paths; None if not: the fast way.

    It takes for granted that a line writes equal strings in equal ways, unless their keys differ.
    """
    encode = orjson.dumps if (old.isascii() and new.isascii()) or not line.isascii() else encode_ascii
    token = encode(old)
    if not _NEVER_BETWEEN_STRINGS.search(token, 1, len(token) - 1):
        return None
    found = list(_values_equal_to(token, line))
    if len(found) != len(paths) or not all(_has_key_of(paths, line, at) for at in found):
        return None
    replacement = encode(new)
    for at in reversed(found):
        line = b"".join((line[:at], replacement, line[at + len(token) :]))
    return line


def encode_ascii(text: str) -> bytes:
    """The text as json.dumps writes it."""
    return json.dumps(text).encode()


def _values_equal_to(token: bytes, line: bytes) -> Iterator[int]:
    """Where `token` stands as a value.

    A quote mark with none of `_BEFORE_A_VALUE` in front is escaped or closes a string. One that closes a string after
    such a byte is followed by what stands between strings, and the token holds a byte that never stands there.
    """
    probe = token[:_PROBE]
    at = line.find(probe)
    while at >= 0:
        end = at + 1
        if at and line[at - 1] in _BEFORE_A_VALUE and line.startswith(token, at):
            end = at + len(token)
            if not _COLON.match(line, end):
                yield at
        at = line.find(probe, end)


def _has_key_of(paths: list[KeyPath], line: bytes, at: int) -> bool:
    """Whether the value at `at` has the last key of one of the paths; list positions are not checked."""
    for path in paths:
        key = path[-1]
        if isinstance(key, int) or line.endswith((b'"%s":' % key.encode(), b'"%s": ' % key.encode()), 0, at):
            return True
    return False


def _spliced_by_path(line: bytes, old: str, new: str, paths: set[KeyPath]) -> bytes:
    found = [span for span in spans(line) if span.path in paths and _holds(line[span.start : span.end], old)]
    missing = paths - {span.path for span in found}
    if missing:
        raise RowError(f"the line holds another text at {missing.pop()} than the row that was read from it.")
    for span in reversed(found):
        token = _token_like(line[span.start : span.end], new, ascii_only=line.isascii())
        line = b"".join((line[: span.start], token, line[span.end :]))
    return line


def _holds(token: bytes, text: str) -> bool:
    return token.startswith(b'"') and bool(json.loads(token) == text)


def _token_like(token: bytes, text: str, *, ascii_only: bool) -> bytes:
    """`text` as a JSON string that escapes what `token` escapes, in the same way."""
    own = {ord(json.loads(f'"{escape}"')): escape for escape in set(_ESCAPE.findall(token.decode()))}
    escaped = text.translate(_MUST_BE_ESCAPED | own)
    if ascii_only:
        escaped = _NOT_ASCII.sub(lambda match: json.dumps(match[0])[1:-1], escaped)
    return f'"{escaped}"'.encode()


def _without_member(line: bytes, start: int, end: int) -> bytes:
    comma = _COMMA.match(line, end)
    if comma:
        return line[:start] + line[comma.end() :]
    return line[:start].rstrip().removesuffix(b",") + line[end:]


def _null(line: bytes, start: int, end: int) -> bytes:
    return b"".join((line[:start], b"null", line[end:]))
