"""Rows of the audit log. Each one holds the hash of the row before it, its own hash, and a seal that needs the key.

A row is one JSON line: `{"n":…,"time":…,…,"prev":…,"hash":…,"seal":…}`. `hash` is the SHA-256 of the bytes before it (closed by a
brace), so every byte of a row counts, and `prev` ties it to its place. Whoever changes a row can compute new hashes for it and
for all rows that follow, but not their seals: HMAC-SHA256 of the hash, under a key derived from the server's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any, NamedTuple

import orjson

VERSION = 1
START = "0" * 64
"""`prev` of the first row."""
_HEX = re.compile("[0-9a-f]{64}")
_HASH = b',"hash":"'
_TAIL_BYTES = len(_HASH) + 64 + len(b'","seal":"') + 64 + len(b'"}')


class Head(NamedTuple):
    """The end of a log: number and hash of its last row, and the size of the file after it (bytes)."""

    n: int
    hash: str
    size: int


class Row(NamedTuple):
    """A row as read: its fields, and whether its own hash fits its bytes."""

    fields: dict[str, Any]
    intact: bool


def audit_key(secret: bytes) -> bytes:
    """The key of seals and of hashes of texts."""
    return hmac.digest(secret, b"antidistill audit v1", "sha256")


def text_hash(key: bytes, text: str) -> str:
    """A keyed hash of a text (64 hexadecimal digits): short texts cannot be guessed from it without the key."""
    return hmac.digest(key, b"text\0" + text.encode("utf-8", "surrogatepass"), "sha256").hex()


def seal(key: bytes, row_hash: str) -> str:
    """The seal of a row, or of the head."""
    return hmac.digest(key, b"row\0" + row_hash.encode(), "sha256").hex()


def line_of(fields: dict[str, Any], key: bytes) -> tuple[bytes, str]:
    """The line of a row, and its hash."""
    body = orjson.dumps(fields)
    row_hash = hashlib.sha256(body).hexdigest()
    return body[:-1] + f',"hash":"{row_hash}","seal":"{seal(key, row_hash)}"}}\n'.encode(), row_hash


def read_row(line: bytes) -> Row | None:
    """The row of a line (without its end); None if it is no row at all."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fields, dict) or not _is_row(fields):
        return None
    body, tail = line[:-_TAIL_BYTES] + b"}", line[-_TAIL_BYTES:]
    expected = f',"hash":"{hashlib.sha256(body).hexdigest()}","seal":"{fields["seal"]}"}}'.encode()
    return Row(fields, hmac.compare_digest(tail, expected))


def _is_row(fields: dict[str, Any]) -> bool:
    texts = all(isinstance(fields.get(name), str) for name in ("prev", "hash", "seal"))
    return texts and bool(_HEX.fullmatch(fields["seal"])) and type(fields.get("n")) is int


def head_line(head: Head, key: bytes) -> bytes:
    """The content of the head file: of the same length for every head, so that writing it is one step."""
    text = f"{head.n:020d} {head.size:020d} {head.hash}"
    return f"{text} {seal(key, text)}\n".encode()


def read_head(content: bytes) -> tuple[Head, str] | None:
    """The head in the content of a head file, and its seal; None if it is none."""
    try:
        number, size, row_hash, sealed = content.decode("ascii").split()
        return Head(int(number), row_hash, int(size)), sealed
    except ValueError:
        return None


def head_is_sealed(head: Head, sealed: str, key: bytes) -> bool:
    """Whether the key has sealed this head."""
    expected = head_line(head, key).split()[-1].decode()
    return hmac.compare_digest(expected.encode(), sealed.encode("utf-8", "replace"))
