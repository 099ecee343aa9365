"""Authenticated encryption under a key that serves one purpose only: AES-256-GCM under HKDF-SHA256 of a secret.

The secret itself encrypts nothing, and two purposes, or two salts, never share a key. Every text has its own random nonce:
nothing has to be remembered by several workers or over a restart. Random nonces of 12 bytes allow 2³² texts for each derived key.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from antidistill.errors import SealError

NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES
"""How much longer a sealed text is than the text."""


Encrypt: TypeAlias = Callable[[bytes, bytes, bytes], bytes]
"""Sealed text, tag included, from a nonce of `NONCE_BYTES`, the text and what it is bound to."""


class Cipher:
    """Seals and opens texts for one purpose.

    Args:
        secret: content of a key file.
        purpose: what the texts are for; another purpose has another key.
        salt: keeps the keys of one purpose apart (of two ledgers, say); random or empty.
    """

    __slots__ = ("_cipher",)

    def __init__(self, secret: bytes, purpose: bytes, salt: bytes = b"") -> None:
        self._cipher = AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt or None, info=purpose).derive(secret))

    @property
    def encrypt(self) -> Encrypt:
        """Seals a text with a nonce of the caller's, which must be random and must never be used again."""
        return self._cipher.encrypt

    def seal(self, text: bytes, bound: bytes) -> bytes:
        """Nonce and sealed text, `OVERHEAD_BYTES` longer than `text`; it does not open without the same `bound`."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text, bound)

    def open(self, sealed: bytes, bound: bytes) -> bytes:
        """The text that was sealed.

        Raises:
            SealError: the sealed text, what it is bound to, or the key is not the one that was used.
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
        except (InvalidTag, ValueError) as error:
            raise SealError("the seal is broken") from error
