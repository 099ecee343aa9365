"""Where each value stands in the bytes of a JSON line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from antidistill.formats.found import KeyPath

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


class Span(NamedTuple):
    """A value of the line, as byte offsets.

    Attributes:
        path: keys and positions that lead to the value; empty for the row itself.
        member: where its member starts: at the key in an object, at the value itself in an array.
        start, end: the value.
    """

    path: KeyPath
    member: int
    start: int
    end: int


def spans(line: bytes) -> Iterator[Span]:
    """Every value of a line that is whole JSON; what contains others comes after them."""
    steps: list[str | int | None] = []  # None: the key is still to come
    opened: list[tuple[int, int]] = []  # member and start of the containers around
    member = 0
    for match in _TOKEN.finditer(line):
        start, end = match.span()
        first = line[start : start + 1]
        if first == b",":
            steps[-1] = steps[-1] + 1 if isinstance(steps[-1], int) else None
        elif first in b"}]":
            steps.pop()
            member, start = opened.pop()
            yield Span(_path(steps), member, start, end)
        elif first == b'"' and steps and steps[-1] is None:
            steps[-1], member = json.loads(line[start:end]), start
        elif first != b":":
            member = member if steps and isinstance(steps[-1], str) else start
            if first in b"{[":
                steps.append(None if first == b"{" else 0)
                opened.append((member, start))
            else:
                yield Span(_path(steps), member, start, end)


def _path(steps: list[str | int | None]) -> KeyPath:
    return tuple(step for step in steps if step is not None)
