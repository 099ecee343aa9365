"""Reads a payoff file and says which cell is wrong if one is.

    {"rows": [...], "columns": [...], "damage": [[...]], "standard_errors"?: [[...]], "replicates"?: [[[...]]],
     "visibility"?: {row: number}, "visibility_name"?: text, "utility"?: {row: number}, "metrics"?: {name: {row: number}},
     "prior"?: {column: number},
     "responses"?: {name: {"damage": [[...]], "cost": number or {column: number}, "standard_errors"?, "replicates"?}}}

Every number may also be an Estimate, {"value", "low", "high", "n"}.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from antidistill.errors import InputError, MissingCell, NotFinite, PayoffError, UnknownName, WrongShape
from antidistill.theory.game.payoffs import AUROC, TRAIN, VISIBILITY, Array, Metric, Payoffs, Response, Table

_UNCERTAIN = ("standard_errors", "replicates")
_KEYS = (
    "rows",
    "columns",
    "damage",
    *_UNCERTAIN,
    "visibility",
    "visibility_name",
    "utility",
    "metrics",
    "prior",
    "responses",
)
_NAMED_METRICS = ("visibility", "utility")
_INTERVAL_SIGMAS = 2 * 1.959964
_SUM_TOLERANCE = 1e-6


class _Cell(NamedTuple):
    value: float
    low: float
    high: float


class _Frame(NamedTuple):
    rows: tuple[str, ...]
    columns: tuple[str, ...]


def read(path: Path) -> Payoffs:
    """The payoffs in a JSON file.

    Raises:
        InputError: the file cannot be read or is not JSON.
        PayoffError: a cell is missing, no number, or a table has the wrong shape.
        UnknownName: a key, row or column that does not belong there.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a JSON file of payoffs.") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}); see docs/game.md for the format.") from error
    return parse(content)


def parse(content: Any) -> Payoffs:
    """The payoffs in a decoded JSON object; raises as `read` does."""
    if isinstance(content, dict) and "worlds" in content:
        raise PayoffError(
            "these are results of the lab: give one of the payoffs-*.json beside them, a table per world."
        )
    fields = _object("the payoff file", content, _KEYS)
    frame = _Frame(_names(fields, "rows"), _names(fields, "columns"))
    metrics = {name: fields[name] for name in _NAMED_METRICS if name in fields}
    metrics |= _object("metrics", fields.get("metrics", {}))
    return Payoffs(
        rows=frame.rows,
        columns=frame.columns,
        damage=_table("damage", fields, frame),
        metrics={name: _metric(name, values, frame.rows) for name, values in metrics.items()},
        prior=parse_prior(fields["prior"], frame.columns) if "prior" in fields else None,
        responses=_responses(fields.get("responses", {}), frame),
        visibility_name=_text(fields, "visibility_name", VISIBILITY),
    )


def parse_prior(content: Any, columns: Sequence[str]) -> Array:
    """Probabilities of the columns, from an object; columns that are not named have probability 0.

    Raises:
        PayoffError: they are negative or do not add up to 1.
        UnknownName: a column that does not exist.
    """
    given = _object("prior", content, columns)
    prior = np.array([_cell("prior", column, given.get(column, 0.0)).value for column in columns])
    total = float(prior.sum())
    if (prior < 0).any() or abs(total - 1) > _SUM_TOLERANCE:
        raise PayoffError(
            f"the prior {prior.tolist()} adds up to {total:g}: give probabilities from 0 to 1 that add up to 1."
        )
    return np.asarray(prior / total)


def _responses(content: Any, frame: _Frame) -> dict[str, Response]:
    responses = {}
    for name, given in _object("responses", content).items():
        if name == TRAIN:
            raise PayoffError(f"a response cannot be called {TRAIN!r}: that is training on the traces as they are.")
        fields = _object(f"response {name!r}", given, ("damage", *_UNCERTAIN, "cost"))
        responses[name] = Response(_table(f"damage after {name!r}", fields, frame), _costs(name, fields, frame))
    return responses


def _costs(name: str, fields: Mapping[str, Any], frame: _Frame) -> Array:
    cost = fields.get("cost", 0.0)
    if isinstance(cost, Mapping) and "value" not in cost:
        return _metric(f"cost of {name!r}", cost, frame.columns).value
    return np.full(len(frame.columns), _cell("cost", repr(name), cost).value)


def _table(name: str, fields: Mapping[str, Any], frame: _Frame) -> Table:
    if all(key in fields for key in _UNCERTAIN):
        raise PayoffError(f"{name} comes with standard errors and replicates: give one of them.")
    replicates = _replicates(name, fields["replicates"], frame) if "replicates" in fields else None
    if "damage" not in fields:
        if replicates is None:
            raise PayoffError(f"{name} is missing: give a table of rows x columns, or replicates.")
        mean: Array = replicates.mean(axis=0)
        return Table(mean, None, replicates)
    cells = _cells(name, fields["damage"], frame)
    value: Array = cells[..., 0]
    if "standard_errors" in fields:
        return Table(value, _standard_errors(name, fields["standard_errors"], frame), None)
    error = (cells[..., 2] - cells[..., 1]) / _INTERVAL_SIGMAS
    return Table(value, error if error.any() and replicates is None else None, replicates)


def _standard_errors(name: str, content: Any, frame: _Frame) -> Array:
    errors: Array = _cells(f"standard errors of {name}", content, frame)[..., 0]
    if (errors < 0).any():
        raise PayoffError(f"a standard error of {name} is {errors.min():g}: give numbers from 0 on.")
    return errors


def _replicates(name: str, content: Any, frame: _Frame) -> Array:
    tables = content if isinstance(content, list) else []
    if len(tables) < 2:
        raise WrongShape(f"replicates of {name}", f"{len(tables)} tables", "at least 2 tables of rows x columns")
    return np.stack(
        [_cells(f"replicate {number} of {name}", one, frame)[..., 0] for number, one in enumerate(tables, 1)]
    )


def _cells(name: str, content: Any, frame: _Frame) -> Array:
    """Values, low and high ends, shape (rows, columns, 3)."""
    wanted = f"{len(frame.rows)} rows of {len(frame.columns)} cells"
    if not isinstance(content, list) or len(content) != len(frame.rows):
        raise WrongShape(name, f"{len(content)} rows" if isinstance(content, list) else "no list of rows", wanted)
    for row, cells in zip(frame.rows, content, strict=True):
        if not isinstance(cells, list) or len(cells) != len(frame.columns):
            given = f"{len(cells)} cells" if isinstance(cells, list) else "no list of cells"
            raise WrongShape(name, f"{given} in row {row!r}", wanted)
    return np.array(
        [
            [
                _cell(name, f"{row!r} against {column!r}", cell)
                for column, cell in zip(frame.columns, cells, strict=True)
            ]
            for row, cells in zip(frame.rows, content, strict=True)
        ]
    )


def _metric(name: str, content: Any, owners: Sequence[str]) -> Metric:
    given = _object(name, content, owners)
    cells = np.array([_cell(name, repr(owner), given.get(owner)) for owner in owners])
    return Metric(*cells.T)


def _cell(table: str, cell: str, given: Any) -> _Cell:
    if given is None:
        raise MissingCell(table, cell)
    if isinstance(given, Mapping):
        value = _number(table, cell, given.get("value"))
        ends = [_number(table, cell, value if given.get(end) is None else given[end]) for end in ("low", "high")]
        return _Cell(value, *ends)
    value = _number(table, cell, given)
    return _Cell(value, value, value)


def _number(table: str, cell: str, given: Any) -> float:
    if given is None:
        raise MissingCell(table, cell)
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise NotFinite(table, cell, given)
    return float(given)


def _names(fields: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = fields.get(key)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise PayoffError(f"{key} must be a list of at least one name.")
    if len(set(names)) < len(names):
        raise PayoffError(f"{key} names {next(name for name in names if names.count(name) > 1)!r} twice.")
    return tuple(names)


def _text(fields: Mapping[str, Any], key: str, otherwise: str) -> str:
    text = fields.get(key, otherwise)
    if not isinstance(text, str) or not text.strip():
        raise PayoffError(f"{key} must be a name in words, such as {AUROC!r}, not {text!r}.")
    return text.strip()


def _object(name: str, content: Any, allowed: Sequence[str] | None = None) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise PayoffError(f"{name} must be an object, not {type(content).__name__}.")
    for key in content:
        if allowed is not None and key not in allowed:
            raise UnknownName(f"key of {name}", key, allowed)
    return content
