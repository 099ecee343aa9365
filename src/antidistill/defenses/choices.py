"""Choices that only the holder of the key can foresee: HMAC-SHA256(key, trace key, position)."""

from __future__ import annotations

import hashlib
import hmac

from antidistill.errors import BadOption

_PER_BLOCK = 8
_RANGE = 2**32


def key_id(key: bytes) -> str:
    """A public name of a secret key: 16 hexadecimal digits; "" for no key."""
    return hashlib.sha256(b"antidistill key id\0" + key).hexdigest()[:16] if key else ""


def require_key(key: bytes) -> None:
    """Raises BadOption where a defense that chooses has no key to choose by."""
    if not key:
        raise BadOption("key", key, "a secret of at least one byte, for its choices come from it")


class Choices:
    """Uniform numbers by position, the same for the same key, trace and purpose.

    Args:
        key: the secret.
        trace_key: `Trace.key`, 32 bytes.
        purpose: keeps the numbers of two uses apart.
    """

    __slots__ = ("_block", "_digest", "_mac")

    def __init__(self, key: bytes, trace_key: bytes, purpose: str) -> None:
        self._mac = hmac.new(key, trace_key + purpose.encode() + b"\0", hashlib.sha256)
        self._block = -1
        self._digest = b""

    def uniform(self, position: int) -> float:
        """A number in [0, 1) for `position` (0 or more)."""
        block, place = divmod(position, _PER_BLOCK)
        if block != self._block:
            mac = self._mac.copy()
            mac.update(block.to_bytes(8, "big"))
            self._block, self._digest = block, mac.digest()
        return int.from_bytes(self._digest[4 * place : 4 * place + 4], "big") / _RANGE

    def order(self, count: int) -> list[int]:
        """A permutation of 0 … count - 1."""
        return sorted(range(count), key=lambda position: (self.uniform(position), position))
