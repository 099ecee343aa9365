"""The kernel for other engines: Arrow tables for Ray Data, Arrow batches for Spark, documents for datatrove.

None of these libraries is imported here; what they call is a plain object that travels to their workers, key included. Nothing is
written: for exact originals keep the input. A row that cannot be guarded is an error that names it, so no row is lost. A trace
without prompt and id is called after its place in what one call gets, so give rows one of the two.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import orjson
import pyarrow as pa

from antidistill import defenses
from antidistill.batch.account import Account
from antidistill.batch.arrow import guard_batch
from antidistill.batch.guardian import GuardedRow, Guardian, Settings
from antidistill.defenses import Defense
from antidistill.errors import RowError
from antidistill.formats.found import value_at
from antidistill.formats.leaks import Leaks


class Document(Protocol):
    """A document of datatrove."""

    text: str
    id: str
    metadata: dict[str, Any]


AnyDocument = TypeVar("AnyDocument", bound=Document)


@dataclass(frozen=True, slots=True)
class GuardArrow:
    """Guards Arrow data in any dialect.

    Attributes:
        defense: what `antidistill.defense` gives.
        leaks: what happens to values that would betray the edit.
    """

    defense: Defense
    leaks: Leaks = Leaks.GUARD

    def __call__(self, table: pa.Table) -> pa.Table:
        """The guarded table; for `ray.data.Dataset.map_batches(…, batch_format="pyarrow")`.

        Raises:
            RowError: a row cannot be guarded.
            UsageError: columns would betray the edits, and `leaks` does not say what to do about them.
        """
        batches = table.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
        return pa.Table.from_batches(self.batches(batches))

    def batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The guarded batches; for `pyspark.sql.DataFrame.mapInArrow`.

        Raises:
            RowError, UsageError: see `__call__`.
        """
        guardian = _guardian(self.defense, self.leaks)
        before = 0
        for batch in batches:
            account = Account(guardian, 0)
            guarded = guard_batch(guardian, batch, before, account)
            for record in map(orjson.loads, account.rejected):
                raise RowError(f"row {record['line']}: {record['reason']}")
            yield guarded
            before += batch.num_rows


@dataclass(frozen=True, slots=True)
class GuardDocuments:
    """A step of a datatrove pipeline: guards the reasoning in the text and the metadata of documents.

    Attributes:
        defense: what `antidistill.defense` gives.
        leaks: what happens to values that would betray the edit.
    """

    defense: Defense
    leaks: Leaks = Leaks.GUARD

    def __call__(self, data: Iterable[AnyDocument], rank: int = 0, world_size: int = 1) -> Iterator[AnyDocument]:
        """The documents, guarded.

        Raises:
            RowError: a document cannot be guarded.
        """
        guardian = _guardian(self.defense, self.leaks)
        for document in data:
            row = {**document.metadata, "id": document.id, "text": document.text}
            (outcome,) = guardian.guard([row], 0)
            if not isinstance(outcome, GuardedRow):
                raise RowError(f"document {document.id}: {outcome}")
            yield _changed(document, outcome)


def _changed(document: AnyDocument, outcome: GuardedRow) -> AnyDocument:
    row: dict[str, Any] = {**copy.deepcopy(document.metadata), "text": document.text}
    for path, _, new, _ in outcome.changes:
        value_at(row, path[:-1])[path[-1]] = new
    for path in outcome.removed:
        if len(path) == 1:
            del row[str(path[0])]
        else:
            value_at(row, path[:-1])[path[-1]] = None
    document.text, document.metadata = row.pop("text"), row
    return document


def _guardian(defense: Defense, leaks: Leaks) -> Guardian:
    return Guardian(Settings(defenses.spec(defense), getattr(defense, "key", b""), leaks=leaks))
