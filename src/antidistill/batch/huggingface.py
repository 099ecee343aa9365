"""Guards `datasets` objects in place of files (a Dataset, an IterableDataset, a dict of either), and gives originals back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import pyarrow as pa

from antidistill import defenses
from antidistill.batch.dataset_ledger import Restoring, recording
from antidistill.defenses import Defense
from antidistill.errors import RowError, UnknownName, UsageError
from antidistill.formats import Change, Found, KeyPath, Row, changes
from antidistill.formats.leaks import Leaks, locate_and_settle, refusal
from antidistill.formats.parquet import blank, replace, rows
from antidistill.formats.schema import leaking_columns, without
from antidistill.trace import apply_edits

AnyDataset = TypeVar("AnyDataset")


def guard_dataset(
    dataset: AnyDataset,
    defense: Defense,
    *,
    leaks: str = Leaks.GUARD,
    jobs: int | None = None,
    ledger: str | Path | None = None,
) -> AnyDataset:
    """The dataset with guarded reasoning: same rows, same order, same features; in any dialect.

    The edits are those that `antidistill guard` makes of the same rows in a file. A Dataset keeps its format; an
    IterableDataset comes back without one, and is guarded while it is read.

    Args:
        dataset: a `datasets.Dataset` or `IterableDataset`, or a `DatasetDict` or `IterableDatasetDict` of them.
        defense: what `antidistill.defense` gives.
        leaks: what happens to values that would betray the edit, see `antidistill.formats.leaks.Leaks`.
        jobs: number of processes; a Dataset only.
        ledger: a new file for the ledger, which `restore_dataset` reads: what was removed is sealed under the key of the
            defense. A Dataset or DatasetDict only, and in one process.

    Raises:
        UnknownName: there is no such policy for leaks.
        UsageError: columns would betray the edit, and `leaks` does not say what to do about them; or a ledger is not possible.
        RowError: a row cannot be guarded; the message says which. The dataset is not changed.
        OutputError: the ledger is there already, or cannot be written.
        DefenseError: the defense failed.
    """
    policy = _policy(leaks)
    if ledger is not None:
        return cast(AnyDataset, _guarded_with_ledger(dataset, defense, policy, jobs, Path(ledger)))
    if isinstance(dataset, dict):
        guarded = {split: guard_dataset(part, defense, leaks=leaks, jobs=jobs) for split, part in dataset.items()}
        return type(dataset)(guarded)
    return cast(AnyDataset, _guarded(dataset, _Guard(defense, policy), jobs))


def restore_dataset(guarded: AnyDataset, ledger: str | Path, *, key: bytes) -> AnyDataset:
    """The original of what `guard_dataset` gave with a ledger: equal rows and features, dropped columns included.

    Args:
        guarded: the guarded `datasets.Dataset` or `DatasetDict`, all rows in their order.
        ledger: its ledger.
        key: the key of the defense.

    Raises:
        UsageError: it is an IterableDataset.
        LedgerError: ledger and dataset do not belong together, or one of them was changed.
        KeyFileError: the ledger was sealed with another key.
    """
    parts = _parts(guarded)
    restoring = Restoring(Path(ledger), key)
    restoring.check(list(parts))
    restored = {}
    for number, (name, part) in enumerate(parts.items()):
        schema = restoring.enter(number)
        features = type(part.features).from_arrow_schema(schema)
        options = {"batched": True, "features": features, "desc": "Restoring", **_afresh()}
        back = part.with_format("arrow").map(restoring, **options)
        shows_all = part.format["columns"] == part.column_names  # then the columns that had gone are shown too
        restored[name] = _in_format(back, {**part.format, "columns": back.column_names} if shows_all else part.format)
        restoring.walk.leave()
    return cast(AnyDataset, _like(guarded, restored))


def _guarded_with_ledger(dataset: Any, defense: Defense, policy: Leaks, jobs: int | None, ledger: Path) -> Any:
    parts = _parts(dataset)
    if jobs is not None and jobs > 1:
        raise UsageError(f"jobs is {jobs}, and a ledger is written by one process: leave jobs out, or guard a file.")
    schemas = {name: part.features.arrow_schema for name, part in parts.items()}
    guarded = {}
    with recording(ledger, defense, policy, schemas) as record:
        for number, (name, part) in enumerate(parts.items()):
            record.shard = number
            guarded[name] = _guarded(part, record, None, **_afresh())
    return _like(dataset, guarded)


def _parts(dataset: Any) -> dict[str, Any]:
    """The datasets of a dict by their names, or the one that there is, without a name."""
    parts = dict(dataset) if isinstance(dataset, dict) else {"": dataset}
    if not all(hasattr(part, "format") for part in parts.values()):
        raise UsageError(
            "a ledger needs whole datasets, and this one is an IterableDataset: load it without streaming."
        )
    return parts


def _like(dataset: Any, parts: dict[str, Any]) -> Any:
    return type(dataset)(parts) if isinstance(dataset, dict) else parts[""]


def _afresh() -> dict[str, Any]:
    """Options for a `map` whose function has to be called, and in order: never taken from a cache, nor put there to be found."""
    return {"load_from_cache_file": False, "new_fingerprint": uuid.uuid4().hex}


def _policy(leaks: str) -> Leaks:
    try:
        return Leaks(leaks)
    except ValueError:
        raise UnknownName("value of leaks", leaks, map(str, Leaks)) from None


class _Guards(Protocol):
    """Guards a table; also says which columns go."""

    def __call__(self, table: pa.Table, indices: Sequence[int]) -> pa.Table: ...

    def dropped(self, schema: pa.Schema) -> list[str]: ...


def _guarded(dataset: Any, guard: _Guards, jobs: int | None, **more: Any) -> Any:
    options = {"with_indices": True, "batched": True, **more}
    features = dataset.features
    if features is not None:
        left = guard.dropped(features.arrow_schema)
        options["features"] = type(features)({name: kind for name, kind in features.items() if name not in left})
    if not hasattr(dataset, "format"):
        return dataset.with_format("arrow").map(guard, **options).with_format(None)
    guarded = dataset.with_format("arrow").map(guard, num_proc=jobs, desc="Guarding", **options)
    return _in_format(guarded, dataset.format)


def _in_format(dataset: Any, style: dict[str, Any]) -> Any:
    columns = [name for name in style["columns"] if name in dataset.column_names]
    return dataset.with_format(style["type"], columns, style["output_all_columns"], **style["format_kwargs"])


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
