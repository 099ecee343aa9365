"""Files that grow by appending and get their name when they are whole."""

from __future__ import annotations

import errno
import filecmp
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from antidistill.errors import OutputError


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns what the system says about writing `path` into an OutputError that says what to do."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
        cure = "make room; guard --resume goes on where it stopped" if full else "choose a place that you may write to"
        raise OutputError(f"{path} cannot be written ({error.strerror or error}): {cure}.") from error


class Draft:
    """A file under a working name; bytes are appended behind a known end.

    Args:
        path: the working name, on the same file system as `final`.
        final: the name that the whole file gets.
        private: only the owner may read the file.

    Attributes:
        end: bytes that count; what lies behind them on the disk is cut off at the next `append`.
    """

    def __init__(self, path: Path, final: Path, private: bool = False) -> None:
        self.path, self.final, self.end = path, final, 0
        self._mode = 0o600 if private else 0o666
        self._file: BinaryIO | None = None

    def append(self, data: bytes | pa.Buffer) -> None:
        """Appends bytes, none perhaps; they are with the system when this returns."""
        with explained(self.final):
            file = self._file or self._open()
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
        self.end += len(data)

    def settle(self) -> None:
        """Returns once the file is on the disk, cut to its end; closes it."""
        with explained(self.final):
            file = self._file or self._open()
            os.fsync(file.fileno())
        self.close()

    def close(self) -> None:
        """Closes the file; it keeps its working name."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def drop(self) -> None:
        """Removes the working file."""
        self.close()
        self.path.unlink(missing_ok=True)
        self.end = 0

    def size(self) -> int:
        """Bytes that are on the disk, 0 if the file is not there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def publish(self) -> None:
        """Gives the file its final name; does nothing if that has happened."""
        self.close()
        if self.path.exists():
            with explained(self.final):
                self.final.parent.mkdir(parents=True, exist_ok=True)
                self.path.replace(self.final)
                sync_folder(self.final.parent)

    def fits_final(self) -> bool:
        """True unless another file has the final name and differs."""
        both = self.path.exists() and self.final.exists()
        return not both or filecmp.cmp(self.path, self.final, shallow=False)

    def _open(self) -> BinaryIO:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, self._mode), "r+b", buffering=0)
        self._file.truncate(self.end)
        self._file.seek(self.end)
        return self._file


def sync_folder(folder: Path) -> None:
    """Returns once the names in the folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
