"""Which guarded trace belongs to which original, and which traces form a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    """Pairs traces with the same id and prompt; the k-th of several such traces with the k-th.

    Args:
        clean: the originals.
        guarded: the guarded traces.
        by: key in `Trace.meta` that gives the group; traces without it are in one group.

    Raises:
        InputError: no trace of `guarded` has a partner.
    """
    partners = dict(_numbered(guarded))
    found = [(trace, partners[key]) for key, trace in _numbered(clean) if key in partners]
    if not found:
        raise InputError(
            f"none of the {len(guarded)} guarded traces has the id and prompt of one of the {len(clean)} originals; "
            "give the file that was guarded first and the guarded file second."
        )
    pairs = [Pair(before, after, _group(before, by)) for before, after in found]
    return Pairing(pairs, len(clean) - len(pairs), len(guarded) - len(pairs))


def groups(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """The pairs of each group, groups in the order of their first trace."""
    members: dict[str, list[Pair]] = {}
    for pair in pairs:
        members.setdefault(pair.group, []).append(pair)
    return members


def _numbered(traces: Iterable[Trace]) -> Iterable[tuple[tuple[str, str, int], Trace]]:
    seen: Counter[tuple[str, str]] = Counter()
    for trace in traces:
        name = (trace.id, trace.prompt)
        yield (*name, seen[name]), trace
        seen[name] += 1


def _group(trace: Trace, by: str | None) -> str:
    meta: Mapping[str, object] = trace.meta
    value = meta.get(by) if by else None
    return ALL if value is None else str(value)
