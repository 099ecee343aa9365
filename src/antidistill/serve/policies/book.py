"""The policy file while the server runs: read again when it changes, and taken over whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from antidistill.errors import AntidistillError
from antidistill.keys import NEW_BYTES, key_beside, read_key
from antidistill.serve.policies.reading import read_settings
from antidistill.serve.policies.settings import Settings
from antidistill.serve.policies.snapshot import Snapshot, build

_AT_START = ("upstream.url", "turns.store", "turns.max_store_bytes", "audit.file")
"""Settings that a running server does not change."""


class PolicyBook:
    """Holds the current snapshot. Streams keep the policy they began with, so a reload never touches one.

    Args:
        path: the policy file; None: only environment and command line.
        overrides: what the command line says, in the shape of the file.
        secret: for the choices of the defenses; None: from `key_file`, or the key beside the policy file, made if missing;
            without a policy file a new one that only this process and its children have.
        environment: variables; None: those of this process.

    Raises:
        BadPolicy, UnknownName: the policies are not valid.
        KeyFileError: a key file is missing or too short.
    """

    def __init__(
        self,
        path: Path | None = None,
        overrides: Mapping[str, Any] | None = None,
        *,
        secret: bytes | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._path = path
        self._overrides = overrides or {}
        self._environment = os.environ if environment is None else environment
        self._given = secret
        self._own = os.urandom(NEW_BYTES)
        self.current, self._seen = self._read()

    @property
    def secret(self) -> bytes:
        """The secret that all choices of the defenses come from."""
        return self._secret(self.current.settings)

    @property
    def key_is_passing(self) -> bool:
        """Whether the secret is a new one that ends with this process."""
        return self._given is None and self._path is None and self.current.settings.key_file is None

    def reload(self) -> tuple[str, ...]:
        """Reads everything again and takes it over if all of it is valid; else the old state stays and the error is raised.

        Returns:
            Names of changed settings that need a restart; what they were holds on.

        Raises:
            BadPolicy, UnknownName, KeyFileError: nothing was taken over.
        """
        self._seen = self._fingerprint(self.current.settings)  # a file that is not valid is not read again and again
        old = self.current
        self.current, self._seen = self._read()
        new = self.current
        return tuple(name for name in _AT_START if _value(old.settings, name) != _value(new.settings, name))

    async def watch(
        self,
        seconds: float,
        on_reload: Callable[[Snapshot, tuple[str, ...]], None],
        on_error: Callable[[AntidistillError], None],
    ) -> None:
        """Looks for changes until it is cancelled: of the policy file and of every file it refers to.

        Content is compared, not inode or time of change: secrets that an orchestrator mounts change by a swapped link.

        Args:
            seconds: between two looks.
            on_reload: called with the new snapshot and what needs a restart.
            on_error: called where the changed file is not valid; the old state stays.
        """
        while True:
            await asyncio.sleep(seconds)
            if self._fingerprint(self.current.settings) == self._seen:
                continue
            try:
                pending = self.reload()
            except AntidistillError as error:
                on_error(error)
            else:
                on_reload(self.current, pending)

    def _read(self) -> tuple[Snapshot, bytes]:
        """The state of all files, and their fingerprint. They are read once first: a key may come from a pipe."""
        snapshot = self._load()
        return snapshot, self._fingerprint(snapshot.settings)

    def _load(self) -> Snapshot:
        settings = read_settings(self._path, self._environment, self._overrides)
        turn_secrets = tuple(read_key(path, "list another one").secret for path in settings.turns.key_files)
        return build(settings, self._secret(settings), turn_secrets, self._environment)

    def _secret(self, settings: Settings) -> bytes:
        if self._given is not None:
            return self._given
        if settings.key_file is not None:
            return read_key(settings.key_file, "leave key_file out and a new key is made beside the policy file").secret
        return self._own if self._path is None else key_beside(self._path).secret

    def _fingerprint(self, settings: Settings) -> bytes:
        state = hashlib.sha256()
        for path in filter(None, self._files(settings)):
            try:
                state.update(hashlib.sha256(path.read_bytes()).digest())
            except OSError:
                state.update(b"missing")
        return state.digest()

    def _files(self, settings: Settings) -> Iterator[Path | None]:
        """The policy file and what it refers to."""
        yield self._path
        yield settings.key_file
        yield from settings.turns.key_files
        for reference in (settings.upstream.credentials, settings.turns.store):
            if reference.startswith("file:"):
                yield Path(reference.removeprefix("file:"))


def _value(settings: Settings, dotted: str) -> Any:
    section, name = dotted.split(".")
    return getattr(getattr(settings, section), name)
