"""Guards `datasets` objects in place of files: a Dataset, an IterableDataset, or a dict of either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import pyarrow as pa

from antidistill import defenses
from antidistill.defenses import Defense
from antidistill.errors import RowError, UnknownName, UsageError
from antidistill.formats import Change, Found, KeyPath, Row, changes
from antidistill.formats.leaks import Leaks, locate_and_settle, refusal
from antidistill.formats.parquet import blank, replace, rows
from antidistill.formats.schema import leaking_columns, without
from antidistill.trace import apply_edits

AnyDataset = TypeVar("AnyDataset")


def guard_dataset(
    dataset: AnyDataset, defense: Defense, *, leaks: str = Leaks.GUARD, jobs: int | None = None
) -> AnyDataset:
    """The dataset with guarded reasoning: same rows, same order, same features; in any dialect.

    The edits are those that `antidistill guard` makes of the same rows in a file, but no ledger is written: for exact
    originals keep the dataset itself. A Dataset keeps its format; an IterableDataset comes back without one, and is
    guarded while it is read.

    Args:
        dataset: a `datasets.Dataset` or `IterableDataset`, or a `DatasetDict` or `IterableDatasetDict` of them.
        defense: what `antidistill.defense` gives.
        leaks: what happens to values that would betray the edit, see `antidistill.formats.leaks.Leaks`.
        jobs: number of processes; a Dataset only.

    Raises:
        UnknownName: there is no such policy for leaks.
        UsageError: columns would betray the edit, and `leaks` does not say what to do about them.
        RowError: a row cannot be guarded; the message says which. The dataset is not changed.
        DefenseError: the defense failed.
    """
    policy = _policy(leaks)
    if isinstance(dataset, dict):
        guarded = {split: guard_dataset(part, defense, leaks=leaks, jobs=jobs) for split, part in dataset.items()}
        return type(dataset)(guarded)
    return cast(AnyDataset, _guarded(dataset, _Guard(defense, policy), jobs))


def _policy(leaks: str) -> Leaks:
    try:
        return Leaks(leaks)
    except ValueError:
        raise UnknownName("value of leaks", leaks, map(str, Leaks)) from None


def _guarded(dataset: Any, guard: _Guard, jobs: int | None) -> Any:
    options = {"with_indices": True, "batched": True}
    features = dataset.features
    if features is not None:
        left = guard.dropped(features.arrow_schema)
        options["features"] = type(features)({name: kind for name, kind in features.items() if name not in left})
    if not hasattr(dataset, "format"):
        return dataset.with_format("arrow").map(guard, **options).with_format(None)
    guarded = dataset.with_format("arrow").map(guard, num_proc=jobs, desc="Guarding", **options)
    style = dataset.format
    columns = [name for name in style["columns"] if name in guarded.column_names]
    return guarded.with_format(style["type"], columns, style["output_all_columns"], **style["format_kwargs"])


@dataclass(frozen=True)
class _Guard:
    """Guards a table of rows; travels to other processes."""

    defense: Defense
    policy: Leaks

    def __call__(self, table: pa.Table, indices: Sequence[int]) -> pa.Table:
        table = without(table, self.dropped(table.schema)).combine_chunks()
        guarded = [self._guard(batch, indices) for batch in table.to_batches()]
        return pa.Table.from_batches(guarded, table.schema)

    def dropped(self, schema: pa.Schema) -> list[str]:
        """Columns that the policy removes."""
        betraying = leaking_columns(schema) if self.policy is not Leaks.KEEP else []
        if betraying and self.policy is not Leaks.DROP:
            raise UsageError(refusal(betraying))
        return [str(leak.path[0]) for leak in betraying]

    def _guard(self, batch: pa.RecordBatch, indices: Sequence[int]) -> pa.RecordBatch:
        edits: dict[int, list[Change]] = {}
        blanks: dict[int, Sequence[KeyPath]] = {}
        for position, (index, row) in enumerate(zip(indices, rows(batch), strict=True)):
            try:
                if isinstance(row, RowError):
                    raise row
                found, blanks[position] = locate_and_settle(row, str(index + 1), self.policy)
            except RowError as error:
                raise RowError(f"row {index + 1}: {error}") from None
            edits[position] = self._changes(row, found)
        return replace(blank(batch, blanks), edits)

    def _changes(self, row: Row, found: Sequence[Found]) -> list[Change]:
        return changes(row, [(one, self._reasoning(one)) for one in found])

    def _reasoning(self, found: Found) -> str:
        trace = found.trace
        return apply_edits(trace.reasoning, defenses.edit(self.defense, trace.reasoning, trace.key))
