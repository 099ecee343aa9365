"""Slices of the traces, each with its own point in the plot: the groups, or bins of removed share where there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from antidistill import registry
from antidistill.report import wording
from antidistill.report.pairing import Pair, groups
from antidistill.report.sections.summary import removed_share
from antidistill.report.visibility import Visibility, read

LEAST = 60
"""Pairs below which a slice is left out: detectors learn nothing from so few."""
MOST = 250
"""Pairs of a slice that the detector sees at most, taken evenly."""
_MOST_BINS = 4
_STRONG = "boosting"


def slices(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """The groups with enough pairs; where all pairs are in one group, equal parts of the changed ones by removed share."""
    members = groups(pairs)
    found = members if len(members) > 1 else _bins([pair for pair in pairs if pair.changed])
    return {name: part for name, part in found.items() if len(part) >= LEAST}


def measure(
    pairs: Sequence[Pair], whole: Visibility, progress: Callable[[str], None] = lambda step: None
) -> dict[str, tuple[float, Visibility]]:
    """Removed share (0 to 1) of each slice and how visible the strongest detector finds it.

    Args:
        pairs: all pairs.
        whole: the detection over all pairs, which says which detector is the strongest.
        progress: called with a few words before each slice.
    """
    from antidistill.measure import detect

    detector = without_models(whole)
    found: dict[str, tuple[float, Visibility]] = {}
    for name, part in slices(pairs).items():
        progress(f"{detector} on {name}")
        seen = _evenly(part)
        clean, guarded = [pair.clean for pair in seen], [pair.guarded for pair in seen]
        detection = detect(clean, guarded, models=False, detectors=[detector])
        found[name] = (removed_share(part), read(detection.to_json()))
    return found


def _evenly(part: Sequence[Pair]) -> list[Pair]:
    number = min(MOST, len(part))
    return [part[len(part) * place // number] for place in range(number)]


def without_models(whole: Visibility) -> str:
    """The strongest detector; another strong one where it needs models, which would take minutes per slice."""
    name = whole.strongest.name if whole.strongest else _STRONG
    return name if name in registry.names("detectors") and not registry.load("detectors", name).needs else _STRONG


def _bins(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    ordered = sorted(pairs, key=lambda pair: pair.removed_share)
    number = min(_MOST_BINS, len(ordered) // LEAST)
    bounds = [len(ordered) * place // number for place in range(number + 1)] if number > 1 else []
    parts = [ordered[start:end] for start, end in pairwise(bounds)]
    named = {_name(part): part for part in parts}
    return named if len(named) == len(parts) else {}


def _name(pairs: Sequence[Pair]) -> str:
    return f"{wording.percent(pairs[0].removed_share)} to {wording.percent(pairs[-1].removed_share)} removed"
