"""What a row holds beside the reasoning that would betray the edit: counts, token ids, log probabilities, hashes, quotes.

Verbatim copies of the reasoning are places of its trace and are guarded with it, see `locate`. What is named here cannot
be guarded: it is refused, removed or kept.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import takewhile
from typing import Any, NamedTuple

from antidistill.errors import RowError, UsageError
from antidistill.formats.columns import ANSWERS, OUTPUTS, folded
from antidistill.formats.found import LONGEST_QUOTE, SHORTEST_COPY, Found, KeyPath, Row, strings
from antidistill.formats.locate import locate, locate_closely
from antidistill.formats.plain import plain
from antidistill.formats.telltales import kind_in_block, kind_of, tells
from antidistill.formats.unread import unread

_JSON = frozenset('[{"')
_REPEATED, _PART, _PIECES, _ESCAPED, _COPY, _UNREAD = (
    "whole reasoning",
    "part of the reasoning",
    "pieces of the reasoning",
    "escaped copy",
    "copy",
    "reasoning that is not read",
)
_MAY_BE_ANSWERS = frozenset((*OUTPUTS, *ANSWERS))


class Leaks(StrEnum):
    """What happens to a row that holds more than the reasoning.

    Attributes:
        GUARD: copies are guarded like the reasoning; a row with anything else that betrays the edit is refused.
        DROP: copies are guarded, anything else is removed.
        REFUSE: a row with a copy or with anything else is refused.
        KEEP: copies are guarded, anything else is left as it is.
    """

    GUARD = "guard"
    DROP = "drop"
    REFUSE = "refuse"
    KEEP = "keep"


class Leak(NamedTuple):
    """A value that betrays the edit, and why."""

    path: KeyPath
    kind: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))} ({self.kind})"


class Settled(NamedTuple):
    """The traces of a row, and the paths of what must be removed from it."""

    found: Sequence[Found]
    removed: Sequence[KeyPath]


def locate_and_settle(row: Row, name: str, policy: Leaks) -> Settled:
    """What `locate` finds in a row, and what `settle` makes of the rest.

    Raises:
        RowError: no column can hold reasoning, or the policy refuses the row.
    """
    simple = plain(row, name)
    if simple is not None:
        return Settled((simple,), ())
    found = locate_closely(row, name)
    return Settled(found, settle(row, found, policy))


def settle(row: Row, found: Sequence[Found], policy: Leaks) -> list[KeyPath]:
    """The paths of `row` that must be removed under `policy`; none unless it is DROP.

    To be called for rows without reasoning as well: under DROP all rows lose the same columns.

    Args:
        row: the row.
        found: the traces that `locate` finds in it.
        policy: what to do about copies and leaks.

    Raises:
        RowError: the policy refuses the row, or what betrays the edit stands in the prompt or the answer, which stay.
    """
    if policy is Leaks.KEEP:
        return []
    betrayed = leaks(row, found)
    if policy is Leaks.REFUSE:
        betrayed += [Leak(place.path, _COPY) for one in found for place in one.places[1:]]
    if not betrayed:
        return []
    if policy is Leaks.DROP:
        fixed = {place.path for one in found for place in one.places}
        stay = [leak for leak in betrayed if leak.path in fixed or _stays(leak)]
    else:
        guarded = any(one.trace.reasoning.strip() for one in found)
        stay = betrayed = [leak for leak in betrayed if guarded or leak.kind == _UNREAD]  # the others betray nothing
    if stay:
        raise RowError(refusal(stay))
    return [leak.path for leak in betrayed]


def _stays(leak: Leak) -> bool:
    """Whether a value must not be removed because it may be, or hold, a prompt or an answer."""
    return leak.kind == _REPEATED or (leak.kind == _UNREAD and folded(leak.path[0]) in _MAY_BE_ANSWERS)


def check(rows: Iterable[Row], policy: Leaks) -> None:
    """Refuses before anything is written what would have every row refused.

    Args:
        rows: some of the rows, such as the first of each file.
        policy: what to do about copies and leaks.

    Raises:
        UsageError: the policy refuses one of the rows.
    """
    for row in rows:
        try:
            found = locate(row)
        except RowError:
            continue
        try:
            settle(row, found, policy)
        except RowError as error:
            raise UsageError(str(error)) from None


def refusal(leaks: Sequence[Leak]) -> str:
    """What is wrong with these leaks, and what to do about them."""
    named = ", ".join(dict.fromkeys(map(str, leaks)))
    kinds = {leak.kind for leak in leaks}
    others = kinds - {_COPY}
    if any(leak.kind == _REPEATED for leak in leaks):
        return (
            f"these values stay as they are and repeat the reasoning, so guarding it would hide nothing: {named}; cut the "
            "reasoning out of them, or --leaks keep leaves it in."
        )
    if any(map(_stays, leaks)):
        ways = "--leaks keep leaves it in"
    elif others:
        ways = "--leaks drop removes them, --leaks keep leaves them in"
    else:
        return (
            f"these values repeat the reasoning: {named}; --leaks guard, drop and keep guard them like the reasoning."
        )
    ways += ", and both guard copies" if _COPY in kinds and "drop" in ways else ""
    if kinds == {_UNREAD}:
        return (
            f"these values hold reasoning that would not be guarded: {named}; name a column of text reasoning and its tags "
            f"<think> and </think> to have it guarded, {ways}."
        )
    return f"these values would betray the edit of the reasoning: {named}; {ways}."


def leaks(row: Row, found: Sequence[Found] = ()) -> list[Leak]:
    """Values of `row` that betray an edit of its reasoning and cannot be edited like it.

    By name and type: counts of tokens, lengths, token ids, log probabilities, embeddings, hashes, signatures and
    encrypted reasoning. By content: text that holds the beginning of the reasoning, lists that hold its pieces, JSON in
    a string that holds it escaped, and a prompt or answer that repeats it whole. And reasoning that no dialect reads.
    """
    betraying = list(_betraying(row, found))
    named = {leak.path for leak in betraying}
    others = [path for path in unread(row, found) if named.isdisjoint(path[: n + 1] for n in range(len(path)))]
    return betraying + [Leak(path, _UNREAD) for path in others]


def _betraying(row: Row, found: Sequence[Found]) -> Iterator[Leak]:
    """Leaks by name, then by content."""
    by_name = {name: kind for name, kind in _named(tuple(row)) if tells(kind, row[name])}
    for name, kind in by_name.items():
        yield Leak((name,), kind)
    for name, value in row.items():
        if (type(value) is dict or type(value) is list) and name not in by_name:
            yield from _inside(value, (name,))
    for one in found:
        yield from _in_texts(row, one, found)


@functools.lru_cache(maxsize=1024)
def _named(columns: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, kind) for name in columns if (kind := kind_of(name))]


def _inside(value: Any, path: KeyPath) -> Iterator[Leak]:
    """Leaks by name deeper in the row."""
    for step, member in value.items() if isinstance(value, dict) else enumerate(value):
        here = (*path, step)
        kind = (kind_of(step) or kind_in_block(step, value)) if isinstance(step, str) else ""
        if kind and tells(kind, member):
            yield Leak(here, kind)
        elif isinstance(member, (dict, list)):
            yield from _inside(member, here)


def _in_texts(row: Row, one: Found, found: Sequence[Found]) -> Iterator[Leak]:
    """Leaks by content: strings that hold some of the reasoning and are no places of it."""
    trace, core = one.trace, one.trace.reasoning.strip()
    if len(core) < SHORTEST_COPY:
        return
    own = [place.path for place in one.places]
    others = {place.path for other in found if other is not one for place in other.places}.difference(own)
    kept = (trace.prompt, trace.answer)
    for path, text in strings(row, min(len(core), LONGEST_QUOTE)):
        kind = "" if path in others else _kind_of_text(text, core, own.count(path), kept)
        if kind:
            yield Leak(path, kind)
    if len(core) > LONGEST_QUOTE:
        yield from _in_pieces(row, core, others.union(own), kept)


def _kind_of_text(text: str, core: str, places: int, kept: tuple[str, str]) -> str:
    if len(text) - places * len(core) >= len(core):
        if text.count(core) > places:
            return _REPEATED
        if not places and text[0] in _JSON and any(escaped in text for escaped in _escaped(core)):
            return _ESCAPED
    if places or len(core) <= LONGEST_QUOTE or text in kept:
        return ""
    return _PART if core[:LONGEST_QUOTE] in text else ""


def _escaped(core: str) -> list[str]:
    forms = (json.dumps(core, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True))
    return [form for form in forms if form != core]


def _in_pieces(row: Row, core: str, read: Collection[KeyPath], kept: tuple[str, ...]) -> Iterator[Leak]:
    """Lists whose strings together make up half of the reasoning: its sentences, steps or tokens."""
    for name, value in row.items():
        if isinstance(value, (dict, list)):
            shorter = [((name, *path), text) for path, text in strings(value) if len(text) < len(core)]
            if 2 * sum(len(text) for _, text in shorter) < len(core):
                continue
            pieces = [(p, text) for p, text in shorter if text in core and text not in kept and p not in read]
            if 2 * sum(len(text) for _, text in pieces) >= len(core):
                yield Leak(_common([path for path, _ in pieces]), _PIECES)


def _common(paths: list[KeyPath]) -> KeyPath:
    """The longest path that all paths go through."""
    return tuple(steps[0] for steps in takewhile(lambda steps: len(set(steps)) == 1, zip(*paths, strict=False)))
