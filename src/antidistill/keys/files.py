"""Key files: the one secret that all choices and seals of a publisher come from.

A key file is used byte for byte as it is. Design note: docs/design/keys-and-ledger.md.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from antidistill.errors import KeyFileError

MIN_BYTES = 16
NEW_BYTES = 32
_MAX_BYTES = 4096


class Key(NamedTuple):
    """A secret and the file that holds it; `made` is True if the file is new."""

    secret: bytes
    path: Path
    made: bool


def read_key(path: Path, otherwise: str = "leave --key-file out and a new key is made") -> Key:
    """The key in `path`; a missing one is answered with what to do `otherwise`.

    Raises:
        KeyFileError: the file is missing, unreadable, shorter than 16 bytes, or longer than 4,096 bytes.
    """
    try:
        with path.open("rb") as file:
            secret = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise KeyFileError(
            f"key file {path} cannot be read ({error.strerror}): give a file of at least {MIN_BYTES} secret bytes, "
            f"or {otherwise}."
        ) from error
    if not MIN_BYTES <= len(secret) <= _MAX_BYTES:
        raise KeyFileError(
            f"key file {path} holds {len(secret) if len(secret) <= _MAX_BYTES else 'too many'} bytes: "
            f"a key has {MIN_BYTES} to {_MAX_BYTES} bytes; make one with: head -c {NEW_BYTES} /dev/urandom > FILE"
        )
    return Key(secret, path, made=False)


def key_path(path: Path) -> Path:
    """Where the key that belongs to the output or ledger `path` is looked for: `<path>.key`."""
    return path.with_name(path.name + ".key")


def key_beside(path: Path) -> Key:
    """The key that belongs to the output or ledger `path`: `<path>.key`, made there if it is missing.

    A key that is there already is used again and never overwritten: the same key gives the same edits.

    Raises:
        KeyFileError: the key cannot be written, or the file there is not a key.
    """
    own = key_path(path)
    try:
        return _make(own)
    except FileExistsError:
        return read_key(own)
    except OSError as error:
        raise KeyFileError(
            f"a new key cannot be written to {own} ({error.strerror}): give --key-file FILE with at least "
            f"{MIN_BYTES} secret bytes, or a folder that can be written."
        ) from error


def _make(path: Path) -> Key:
    """A new key, complete before it has its name: a reader never sees half a key."""
    secret = os.urandom(NEW_BYTES)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()
    return Key(secret, path, made=True)
