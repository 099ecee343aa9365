"""Sealing of removed text under a key that belongs to one ledger only.

The key is derived from the key file with a random salt that stands in the header of the ledger, so no two ledgers share a key.
"""

from __future__ import annotations

import binascii
import os

from antidistill.errors import LedgerError, SealError
from antidistill.keys import Cipher
from antidistill.keys.cipher import Encrypt

SALT_BYTES = 32


def new_salt() -> bytes:
    """A fresh salt for a new ledger."""
    return os.urandom(SALT_BYTES)


class Sealer:
    """Seals and opens the texts of one ledger.

    Args:
        key: content of the key file.
        salt: salt of the ledger, 32 bytes.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._cipher = Cipher(key, b"antidistill ledger seal v1", salt)

    @property
    def encrypt(self) -> Encrypt:
        """See `Cipher.encrypt`; for the quick way, which seals as `seal` does."""
        return self._cipher.encrypt

    def seal(self, text: bytes, bound: bytes) -> bytes:
        """The sealed text as base64; `bound` is what it is bound to and cannot be opened without."""
        return binascii.b2a_base64(self._cipher.seal(text, bound), newline=False)

    def open(self, sealed: str, bound: bytes) -> bytes:
        """The text that was sealed.

        Raises:
            LedgerError: the seal, what it is bound to, or the key is not the one that was used.
        """
        try:
            return self._cipher.open(binascii.a2b_base64(sealed, strict_mode=True), bound)
        except (SealError, ValueError, TypeError) as error:
            raise LedgerError("the seal is broken") from error
