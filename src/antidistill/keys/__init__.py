"""Secrets: key files, and the cipher that seals text under a key derived from one."""

from antidistill.keys.cipher import Cipher
from antidistill.keys.files import MIN_BYTES, NEW_BYTES, Key, key_beside, key_path, read_key

__all__ = ["MIN_BYTES", "NEW_BYTES", "Cipher", "Key", "key_beside", "key_path", "read_key"]
