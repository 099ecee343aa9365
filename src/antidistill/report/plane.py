"""Geometry of the frontier: damage against visibility, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from antidistill.report.charts import Frame, Scale, Tick, Whisker, ends, labels, whisker
from antidistill.trace import Estimate


class Spot(NamedTuple):
    """A method in pixels; `colour` is a class of the style sheet, `number` its place in the legend from 1."""

    number: int
    colour: int
    x: Whisker
    y: Whisker
    label: float


@dataclass(frozen=True, slots=True)
class Plane:
    """The chart; `edge` joins the methods that no other one beats in both, as an SVG path; `guess` is None without an AUROC."""

    spots: list[Spot]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    guess: float | None
    nothing: float
    edge: str
    frame: Frame


def plane(places: Sequence[tuple[int, int, Estimate, Estimate]], auroc: bool = True) -> Plane:
    """Places (number, colour, visibility, damage); at least one.

    An AUROC from 0.4, or lower, to 1; another visibility from 0, or lower, and damage from below 0, each above its largest end.
    """
    frame = Frame(width=440, height=320, left=58, right=430, top=24, base=276)
    lows, highs = zip(*(ends(damage) for *_, damage in places), strict=True)
    low, high = min(0.0, *lows), max(0.0, *highs)
    margin = 0.06 * (high - low) or 1.0
    x = Scale(*_breadth([ends(seen) for _, _, seen, _ in places], auroc), frame.left, frame.right)
    y = Scale(low - margin, high + margin, frame.base, frame.top)
    wide = [(whisker(seen, x), whisker(damage, y)) for _, _, seen, damage in places]
    heights = labels([(across.value, up.value) for across, up in wide])
    spots = [
        Spot(number, colour, across, up, height)
        for (number, colour, *_), (across, up), height in zip(places, wide, heights, strict=True)
    ]
    edge = " ".join(f"{'L' if place else 'M'}{x(seen)} {y(lost)}" for place, (seen, lost) in enumerate(_best(places)))
    return Plane(spots, x.ticks(6), y.ticks(5), x(0.5) if auroc else None, y(0), edge, frame)


def _breadth(seen: Sequence[tuple[float, float]], auroc: bool) -> tuple[float, float]:
    """The ends of the axis of visibility."""
    low, high = min(low for low, _ in seen), max(high for _, high in seen)
    return (min(0.4, low), 1.0) if auroc else (min(0.0, low), 1.06 * high if high > 0 else 1.0)


def unbeaten(places: Sequence[tuple[float, float]]) -> list[int]:
    """Which (visibility, damage) no other place beats: none sees less and hurts as much, or sees as little and hurts more."""
    found, most = [], -math.inf
    for place in sorted(range(len(places)), key=lambda place: (places[place][0], -places[place][1])):
        if places[place][1] > most:
            found.append(place)
            most = places[place][1]
    return found


def _best(places: Sequence[tuple[int, int, Estimate, Estimate]]) -> list[tuple[float, float]]:
    values = [(seen.value, damage.value) for _, _, seen, damage in places]
    return [values[place] for place in unbeaten(values)]
