"""Slices of the traces, each with its own point in the plot: the groups, or bins of removed share where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from antidistill.report import wording
from antidistill.report.pairing import Pair, groups

LEAST = 60
"""Pairs below which a slice is left out: detectors learn nothing from so few."""
_MOST_BINS = 4


def slices(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """The groups with enough pairs; where all pairs are in one group, equal parts of the changed ones by removed share."""
    members = groups(pairs)
    found = members if len(members) > 1 else _bins([pair for pair in pairs if pair.changed])
    return {name: part for name, part in found.items() if len(part) >= LEAST}


def _bins(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    ordered = sorted(pairs, key=lambda pair: pair.removed_share)
    number = min(_MOST_BINS, len(ordered) // LEAST)
    bounds = [len(ordered) * place // number for place in range(number + 1)] if number > 1 else []
    parts = [ordered[start:end] for start, end in pairwise(bounds)]
    named = {_name(part): part for part in parts}
    return named if len(named) == len(parts) else {}


def _name(pairs: Sequence[Pair]) -> str:
    return f"{wording.percent(pairs[0].removed_share)} to {wording.percent(pairs[-1].removed_share)} removed"
