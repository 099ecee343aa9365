"""Which guarded trace belongs to which original, and which traces form a group."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from antidistill.errors import InputError
from antidistill.trace import Trace

ALL = "all traces"


@dataclass(frozen=True, slots=True)
class Pair:
    """A trace before and after; `group` is its value in the column that the report filters by."""

    clean: Trace
    guarded: Trace
    group: str = ALL

    @property
    def changed(self) -> bool:
        """Whether the reasoning differs."""
        return self.clean.reasoning != self.guarded.reasoning

    @property
    def removed_share(self) -> float:
        """Characters by which the guarded reasoning is shorter, over those of the original (at most 1; below 0 if longer)."""
        before = len(self.clean.reasoning)
        return (before - len(self.guarded.reasoning)) / before if before else 0.0


class Pairing(NamedTuple):
    """Pairs in the order of the originals, and how many traces of either side have no partner."""

    pairs: list[Pair]
    clean_alone: int
    guarded_alone: int


def pair_up(clean: Sequence[Trace], guarded: Sequence[Trace], by: str | None = "model") -> Pairing:
    """Pairs traces with the same id and prompt, and what is left by prompt and answer; the k-th of several with the k-th.

    The second way is for rows without an id: they are named after their place, which shifts where a row before them was
    rejected. A guarded trace takes the id of its original.

    Args:
        clean: the originals.
        guarded: the guarded traces.
        by: key in `Trace.meta` that gives the group; traces without it are in one group.

    Raises:
        InputError: no trace of `guarded` has a partner.
    """
    partners: dict[int, Trace] = {}
    rest = list(guarded)
    for key in (_by_id, _by_answer):
        rest = _match(clean, rest, key, partners)
    if not partners:
        raise InputError(
            f"none of the {len(guarded)} guarded traces has the id and prompt of one of the {len(clean)} originals; "
            "give the file that was guarded first and the guarded file second."
        )
    found = ((clean[place], partners[place]) for place in sorted(partners))
    pairs = [Pair(before, replace(after, id=before.id), _group(before, by)) for before, after in found]
    return Pairing(pairs, len(clean) - len(pairs), len(rest))


def groups(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """The pairs of each group, groups in the order of their first trace."""
    members: dict[str, list[Pair]] = {}
    for pair in pairs:
        members.setdefault(pair.group, []).append(pair)
    return members


def _by_id(trace: Trace) -> Hashable:
    return trace.id, trace.prompt


def _by_answer(trace: Trace) -> Hashable:
    return (trace.prompt, trace.answer) if trace.prompt else None


def _match(
    clean: Sequence[Trace], guarded: Iterable[Trace], key: Callable[[Trace], Hashable], partners: dict[int, Trace]
) -> list[Trace]:
    """Gives the originals that have no partner one with the same key, in order; returns the traces that are left."""
    waiting: dict[Hashable, deque[int]] = {}
    for place, trace in enumerate(clean):
        if place not in partners and key(trace) is not None:
            waiting.setdefault(key(trace), deque()).append(place)
    left: list[Trace] = []
    for trace in guarded:
        places = waiting.get(key(trace))
        if places:
            partners[places.popleft()] = trace
        else:
            left.append(trace)
    return left


def _group(trace: Trace, by: str | None) -> str:
    meta: Mapping[str, object] = trace.meta
    value = meta.get(by) if by else None
    return ALL if value is None else str(value)
