"""What is kept of one reasoning: the original, packed, padded and sealed for one tenant.

A sealed parcel must not tell how much was cut: its length on the wire depends on the guarded text alone (`room`). An original
that does not fit stays in the store, and a parcel of the same length refers to it.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import struct
from enum import IntEnum
from typing import NamedTuple

import zstandard

from antidistill.errors import SealError
from antidistill.keys import Cipher
from antidistill.keys.cipher import OVERHEAD_BYTES

_HEAD = struct.Struct(">BQ16s16sII")
_ID_BYTES = 6
_STEP = 256
_LEVEL = 6
_MAX_TEXT = 1 << 28


class Kind(IntEnum):
    """What a parcel holds."""

    ORIGINAL = 1
    SAME = 2
    """Nothing was edited: the guarded text is the original."""
    IN_STORE = 3
    """The original did not fit and is in the store."""


class Parcel(NamedTuple):
    """One reasoning on its way through the client.

    Attributes:
        kind: what it holds.
        issued: seconds since 1970.
        exact: hash of the guarded text as it left, 16 bytes.
        loose: the same without white space around it.
        original: the original reasoning; "" for other kinds.
        carried: what the engine had put into the field that the token takes, to be given back to it.
    """

    kind: Kind
    issued: int
    exact: bytes
    loose: bytes
    original: str
    carried: str

    def is_of(self, text: str) -> bool:
        """Whether `text` is the guarded text, white space around it aside."""
        return hmac.compare_digest(digest(text.strip()), self.loose)

    def original_of(self, text: str) -> str:
        """What stood where the guarded `text` stands now; other white space around it stays."""
        if self.kind is Kind.SAME:
            return text
        if digest(text) == self.exact:
            return self.original
        inner = text.strip()
        before, _, after = text.partition(inner) if inner else (text, "", "")
        return before + self.original.strip() + after


def digest(text: str) -> bytes:
    """First 16 bytes of the SHA-256 of a text."""
    return hashlib.sha256(_encoded(text)).digest()[:16]


def parcel_of(original: str, guarded: str, carried: str, now: float) -> Parcel:
    """The parcel of a reasoning that has just left as `guarded`."""
    kind = Kind.SAME if original == guarded else Kind.ORIGINAL
    return Parcel(
        kind, int(now), digest(guarded), digest(guarded.strip()), "" if kind is Kind.SAME else original, carried
    )


def room(guarded: str) -> int:
    """Bytes that a parcel for the wire gets: a function of the guarded text only.

    Three quarters of its size are enough for English reasoning of which a third was cut: it compresses to less than half.
    """
    wanted = 384 + 3 * len(_encoded(guarded)) // 4
    return -(-wanted // _STEP) * _STEP


class Ring:
    """Keys that seal parcels: the first one seals, all of them open.

    Args:
        secrets: contents of key files, newest first.

    Raises:
        ValueError: no secret.
    """

    def __init__(self, secrets: tuple[bytes, ...]) -> None:
        if not secrets:
            raise ValueError("a ring has at least one key")
        self._secrets = {hmac.digest(s, b"antidistill turn key id v1", "sha256")[:_ID_BYTES]: s for s in secrets}
        self._first = next(iter(self._secrets))
        self._cipher = functools.lru_cache(maxsize=4096)(self._new_cipher)

    def seal(self, parcel: Parcel, tenant: str, bound: bytes, length: int = 0) -> bytes | None:
        """The sealed parcel, padded to a content of `length` bytes; None if it is longer. 0: as long as it is."""
        packed = _pack(parcel)
        if length and len(packed) > length:
            return None
        content = packed.ljust(length, b"\0")
        return self._first + self._cipher(self._first, tenant).seal(content, bound)

    def is_own(self, sealed: bytes) -> bool:
        """Whether it names one of these keys."""
        return sealed[:_ID_BYTES] in self._secrets and len(sealed) >= _ID_BYTES + OVERHEAD_BYTES + _HEAD.size

    def open(self, sealed: bytes, tenant: str, bound: bytes) -> Parcel:
        """The parcel.

        Raises:
            SealError: it was changed, belongs to another tenant, or its key is gone.
        """
        if not self.is_own(sealed):
            raise SealError("the key of the seal is not among the keys")
        return _unpack(self._cipher(sealed[:_ID_BYTES], tenant).open(sealed[_ID_BYTES:], bound))

    def addresses(self, tenant: str, guarded: str) -> list[bytes]:
        """Where the store may hold the original of a guarded text; the first is where it is put."""
        text = _encoded(tenant) + b"\0" + _encoded(guarded.strip())
        return [
            hmac.digest(hmac.digest(secret, b"antidistill turn address v1", "sha256"), text, "sha256")
            for secret in self._secrets.values()
        ]

    def _new_cipher(self, key_id: bytes, tenant: str) -> Cipher:
        return Cipher(self._secrets[key_id], b"antidistill turn v1\0" + _encoded(tenant))


def _pack(parcel: Parcel) -> bytes:
    texts = [_encoded(parcel.original), _encoded(parcel.carried)]
    body = zstandard.ZstdCompressor(level=_LEVEL).compress(b"".join(texts)) if any(texts) else b""
    head = _HEAD.pack(parcel.kind, parcel.issued, parcel.exact, parcel.loose, len(texts[0]), len(body))
    return head + body


def _unpack(content: bytes) -> Parcel:
    kind, issued, exact, loose, split, length = _HEAD.unpack_from(content)
    body = content[_HEAD.size : _HEAD.size + length]
    text = zstandard.ZstdDecompressor().decompress(body, max_output_size=_MAX_TEXT) if body else b""
    original, carried = (part.decode("utf-8", "surrogatepass") for part in (text[:split], text[split:]))
    return Parcel(Kind(kind), issued, exact, loose, original, carried)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
