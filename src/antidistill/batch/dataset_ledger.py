"""Ledgers of `datasets` objects: written while a Dataset is guarded, and the way back to the originals."""

from __future__ import annotations

import binascii
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from antidistill import defenses
from antidistill.batch.account import Account
from antidistill.batch.arrow import dropped_columns, guard_batch
from antidistill.batch.drafts import Draft
from antidistill.batch.guardian import Guardian, Settings
from antidistill.batch.ledger import Ledger, LedgerText, header
from antidistill.batch.restore import restored_batches, sealer_of
from antidistill.batch.seal import Sealer, new_salt
from antidistill.batch.walk import Walk
from antidistill.defenses import Defense
from antidistill.errors import LedgerError, OutputError, RowError
from antidistill.formats.leaks import Leaks


class Recording:
    """Guards tables one after the other and appends what it did to a ledger; not for other processes.

    Args:
        defense: the defense; its key seals what is removed.
        leaks: what happens to values that would betray the edit.
        splits: name and schema of each dataset.
        draft: takes the lines.
    """

    def __init__(self, defense: Defense, leaks: Leaks, splits: Mapping[str, pa.Schema], draft: Draft) -> None:
        spec, key, salt = defenses.spec(defense), getattr(defense, "key", b""), new_salt()
        self._guardian = Guardian(Settings(spec, key, salt, LedgerText.SEALED, leaks))
        self._draft = draft
        self.shard = 0
        sources = [{"name": name, "schema": _as_text(schema)} for name, schema in splits.items()]
        draft.append(header(spec, key, LedgerText.SEALED, salt, sources))

    def dropped(self, schema: pa.Schema) -> list[str]:
        """Columns that the policy removes."""
        return dropped_columns(schema, self._guardian.leaks)

    def __call__(self, table: pa.Table, indices: Sequence[int]) -> pa.Table:
        """The guarded rows.

        Raises:
            RowError: a row cannot be guarded.
        """
        before, guarded = indices[0], []
        for batch in table.combine_chunks().to_batches():
            account = Account(self._guardian, self.shard)
            guarded.append(guard_batch(self._guardian, batch, before, account))
            for record in map(orjson.loads, account.rejected):
                raise RowError(f"row {record['line']}: {record['reason']}")
            self._draft.append(b"".join(account.ledger))
            before += batch.num_rows
        return pa.Table.from_batches(guarded)


@contextmanager
def recording(path: Path, defense: Defense, leaks: Leaks, splits: Mapping[str, pa.Schema]) -> Iterator[Recording]:
    """A recording whose ledger gets its name if all goes well, and is dropped otherwise.

    Raises:
        OutputError: there is such a file, or it cannot be written.
    """
    if path.exists():
        raise OutputError(f"{path} exists: choose another name for the ledger, or remove it first.")
    draft = Draft(path.with_name(f".{path.name}.{os.getpid()}.guarding"), path, private=True)
    try:
        yield Recording(defense, leaks, splits, draft)
        draft.settle()
        draft.publish()
    finally:
        draft.drop()


class Restoring:
    """Gives back originals, table after table, in the order in which they were guarded.

    Args:
        path: the ledger.
        key: the key of the defense.

    Raises:
        LedgerError: it is no ledger, or one of hashes.
        KeyFileError: it was sealed with another key.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        ledger = Ledger(path)
        if ledger.text is LedgerText.HASH:
            raise LedgerError(f"{path} holds only hashes of what was removed, so nothing can be restored from it.")
        sealed = ledger.text is LedgerText.SEALED
        self._sealer: Sealer | None = sealer_of(ledger, key, "the key given is") if sealed else None
        self._sources: list[dict[str, Any]] = ledger.header["sources"]
        self._schema: pa.Schema | None = None
        self.walk = Walk(ledger, None)

    def check(self, splits: Sequence[str]) -> None:
        """Raises LedgerError unless the ledger is that of datasets of these names."""
        names = [source["name"] for source in self._sources]
        if names != list(splits):
            raise LedgerError(f"the ledger is that of {names}, not of {list(splits)}: give what was guarded with it.")

    def enter(self, number: int) -> pa.Schema:
        """Begins a dataset; the schema of its original."""
        self.walk.enter(number)
        if "schema" not in self._sources[number]:
            raise LedgerError("the ledger is that of a file: write the dataset to a file and use restore_files.")
        schema = pa.ipc.read_schema(pa.BufferReader(binascii.a2b_base64(self._sources[number]["schema"])))
        self._schema = schema
        return schema

    def __call__(self, table: pa.Table) -> pa.Table:
        """The original rows.

        Raises:
            LedgerError: these are not the rows that were guarded, or they or the ledger were changed.
        """
        batches = [restored_batches(batch, self.walk, self._sealer) for batch in table.combine_chunks().to_batches()]
        tables = [pa.Table.from_batches([batch]).cast(self._schema) for part in batches for batch in part]
        return pa.concat_tables(tables)


def _as_text(schema: pa.Schema) -> str:
    return binascii.b2a_base64(schema.serialize(), newline=False).decode()
