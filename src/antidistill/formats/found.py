"""Where the reasoning stands in a row, and how the row changes with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from antidistill.trace import Edit, Span, Trace, apply_edits

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and list positions that lead from the row to a value, such as ("messages", 1, "content")."""

Row: TypeAlias = Mapping[str, Any]

SHORTEST_COPY = 32
"""Characters; shorter reasoning is only looked for where reasoning is expected, not in other strings of the row."""

LONGEST_QUOTE = 200
"""Characters; text that holds that much of the beginning of a reasoning is part of a copy, not a quote."""


class Place(NamedTuple):
    """A piece `[start:end)` (characters) of the string at `path` that is the reasoning."""

    path: KeyPath
    start: int
    end: int


class Found(NamedTuple):
    """A trace and every place of its row where its reasoning stands, copies included."""

    trace: Trace
    places: tuple[Place, ...]


class Change(NamedTuple):
    """The string at `path` becomes `new`, by `edits` of it where they are known."""

    path: KeyPath
    old: str
    new: str
    edits: Sequence[Span] = ()


def changes(row: Row, guarded: Iterable[tuple[Found, str]]) -> list[Change]:
    """What changes in `row` when each found reasoning is replaced; strings that stay the same are left out.

    Args:
        row: the row in which the traces were found.
        guarded: each found trace with its guarded reasoning.
    """
    edits: dict[KeyPath, list[Edit]] = {}
    for found, reasoning in guarded:
        if reasoning != found.trace.reasoning:
            for path, start, end in found.places:
                edits.setdefault(path, []).append(Edit(start, end, reasoning, ""))
    return [_change(path, value_at(row, path), pieces) for path, pieces in edits.items()]


def _change(path: KeyPath, old: str, pieces: list[Edit]) -> Change:
    return Change(path, old, apply_edits(old, sorted(pieces, key=lambda piece: piece.start)))


def value_at(row: Row, path: KeyPath) -> Any:
    """The value that `path` leads to."""
    value: Any = row
    for step in path:
        value = value[step]
    return value


def strings(value: Mapping[str, Any] | Sequence[Any], at_least: int = 0) -> list[tuple[KeyPath, str]]:
    """All strings of at least that many characters inside `value`, with their paths."""
    found: list[tuple[KeyPath, str]] = []
    _collect(value, at_least, (), found)
    return found


def _collect(value: Any, at_least: int, path: KeyPath, found: list[tuple[KeyPath, str]]) -> None:
    for step, member in value.items() if isinstance(value, Mapping) else enumerate(value):
        if isinstance(member, str):
            if len(member) >= at_least:
                found.append(((*path, step), member))
        elif isinstance(member, (dict, list, tuple)):
            _collect(member, at_least, (*path, step), found)
