"""Sealing of removed text: AES-256-GCM under a key that belongs to one ledger only.

The ledger's key is HKDF-SHA256 of the key file with a random salt that stands in the ledger's header, so the key file itself
encrypts nothing and no two ledgers share a key. Every text has its own random nonce: nothing has to be remembered when a run is
resumed or when several workers seal at once.
"""

from __future__ import annotations

import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from antidistill.errors import LedgerError

SALT_BYTES = 32
_NONCE_BYTES = 12


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
        derived = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"antidistill ledger seal v1").derive(key)
        self._cipher = AESGCM(derived)

    def seal(self, text: bytes, bound: bytes) -> bytes:
        """The sealed text as base64; `bound` is what it is bound to and cannot be opened without."""
        nonce = os.urandom(_NONCE_BYTES)
        return binascii.b2a_base64(nonce + self._cipher.encrypt(nonce, text, bound), newline=False)

    def open(self, sealed: str, bound: bytes) -> bytes:
        """The text that was sealed.

        Raises:
            LedgerError: the seal, what it is bound to, or the key is not the one that was used.
        """
        try:
            raw = binascii.a2b_base64(sealed, strict_mode=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound)
        except (InvalidTag, ValueError, TypeError) as error:
            raise LedgerError("the seal is broken") from error
