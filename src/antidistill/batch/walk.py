"""Walks through a ledger in step with the guarded rows that it belongs to."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from antidistill.batch.ledger import Ledger, Line
from antidistill.errors import InputError, LedgerError


class Walk:
    """The ledger rows, one after the other, beside the rows of the guarded file.

    Args:
        ledger: the ledger.
        rejected: the file of rejected rows, if their originals are wanted too.

    Attributes:
        missing: rejected rows so far whose originals were not given.
    """

    def __init__(self, ledger: Ledger, rejected: Path | None) -> None:
        self._rows = ledger.rows()
        self._ahead = next(self._rows, None)
        self._rejected = None if rejected is None else _records(rejected)
        self._shard = 0
        self._position = 1
        self.missing = 0

    def enter(self, shard: int) -> None:
        """Begins a shard."""
        self._shard, self._position = shard, 1

    def pass_blank(self) -> None:
        """Passes a blank line."""
        self._position += 1

    def rejected(self) -> Iterator[dict[str, Any]]:
        """The records of the rejected rows that stood here."""
        while (ahead := self._here()) and "rejected" in ahead[0].fields:
            self._step()
            record = self._record(ahead[0])
            if record is not None:
                yield record

    def lines(self) -> list[Line]:
        """The ledger lines of the guarded row that stands here.

        Raises:
            LedgerError: the ledger has no such row.
        """
        lines = self._here()
        if lines is None:
            raise LedgerError(
                f"row {self._position} of the guarded file is not in the ledger: the ledger is that of another file, "
                "or rows were added to one of the two or taken away."
            )
        self._step()
        return lines

    def leave(self) -> None:
        """Ends a shard.

        Raises:
            LedgerError: the ledger has further rows of it.
        """
        if self._ahead is not None and self._ahead[0] == self._shard:
            raise LedgerError(
                f"the ledger has row {self._ahead[1]}, the guarded file ends before it: the file was cut, "
                "or the ledger is that of another file."
            )

    def _here(self) -> list[Line] | None:
        if self._ahead is None or self._ahead[:2] != (self._shard, self._position):
            return None
        return self._ahead[2]

    def _step(self) -> None:
        self._ahead = next(self._rows, None)
        self._position += 1

    def _record(self, line: Line) -> dict[str, Any] | None:
        if self._rejected is None:
            self.missing += 1
            return None
        record = next(self._rejected, None)
        place = (line.fields["shard"], line.fields["row"])
        if record is None or (record.get("shard"), record.get("line")) != place:
            raise InputError(
                f"the file of rejected rows does not hold row {place[1]}: give the one of this run, unchanged."
            )
        return record


def raw_line(record: dict[str, Any]) -> bytes:
    """The line of a rejected row."""
    return record["raw"].encode() if "raw" in record else binascii.a2b_base64(record.get("raw_base64", ""))


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            yield from map(orjson.loads, file)
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(f"the file of rejected rows {path} cannot be read ({error}).") from error
