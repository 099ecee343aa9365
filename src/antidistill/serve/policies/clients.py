"""Who calls: the API key of a request, matched by hash in a time that says nothing about the keys that are known."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping

from antidistill.errors import Refused
from antidistill.serve.policies.policy import Client
from antidistill.serve.policies.secrets import CREDENTIAL_HEADERS

ANONYMOUS = Client("anonymous", "", listed=False)


def presented_key(headers: Iterable[tuple[str, str]]) -> str:
    """The API key of a request; "" if there is none.

    Raises:
        Refused: two different keys, of which the engine might take the other one (401).
    """
    found = {_bare(name.lower(), value) for name, value in headers if name.lower() in CREDENTIAL_HEADERS} - {""}
    if len(found) > 1:
        raise Refused(401, "ambiguous_credentials", "the request carries two different API keys: send one.")
    return found.pop() if found else ""


def _bare(name: str, value: str) -> str:
    scheme, _, rest = value.strip().partition(" ")
    return rest.strip() if name == "authorization" and scheme.lower() == "bearer" else value.strip()


class ClientTable:
    """The listed API keys.

    A key is looked up under its HMAC with a secret that only this process has, so neither a comparison nor the place in
    the table depends on what a caller can choose: the time of a look-up says nothing about the listed keys. What is found
    is compared in constant time once more.

    Args:
        tenants: SHA-256 of the keys of each tenant, hexadecimal.
        secret: names keys that are not listed, and all keys in logs; the same on every replica.
    """

    __slots__ = ("_blind", "_entries", "_secret")

    def __init__(self, tenants: Mapping[str, Iterable[str]], secret: bytes) -> None:
        self._blind = os.urandom(32)
        self._secret = hmac.digest(secret, b"antidistill client names v1", "sha256")
        hashes = ((name, bytes.fromhex(digest)) for name, digests in tenants.items() for digest in digests)
        self._entries = {self._blinded(digest): (digest, name) for name, digest in hashes}

    def client(self, key: str) -> Client:
        """Who presents `key`; "" is nobody."""
        if not key:
            return ANONYMOUS
        return self.hashed(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest())

    def hashed(self, digest: bytes) -> Client:
        """Who presents the key with this SHA-256 (32 bytes)."""
        name = hmac.digest(self._secret, digest, "sha256").hex()
        expected, tenant = self._entries.get(self._blinded(digest), (bytes(32), ""))
        if hmac.compare_digest(expected, digest) and tenant:
            return Client(tenant, name[:16], listed=True)
        return Client(f"key-{name[16:48]}", name[:16], listed=False)

    def _blinded(self, digest: bytes) -> bytes:
        return hmac.digest(self._blind, digest, "sha256")
