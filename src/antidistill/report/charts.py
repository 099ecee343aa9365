"""Geometry of the charts: numbers in, coordinates of plain SVG out.

The drawing itself is in `templates/charts.html`. Colours, fonts and line widths come from the style sheet, so a chart follows
dark mode and high contrast, its text is the page's text, and nothing needs a style attribute that the page's policy forbids.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from antidistill.report import wording
from antidistill.trace import Estimate

_CLOSE = 16
"""Pixels between dots below which their labels get different heights."""
_LABEL_LEVELS = (-5, 14, 27)

Values: TypeAlias = NDArray[np.float64]


class Tick(NamedTuple):
    """A labelled place on an axis, in pixels."""

    at: float
    label: str


class Scale(NamedTuple):
    """A linear map from [low, high] to pixels [start, end]."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Pixels of a value, kept inside the range."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, about: int = 4) -> list[Tick]:
        """About so many ticks at round values (1, 2 or 5 times a power of ten)."""
        raw = (self.high - self.low) / about
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [Tick(self(index * step), f"{index * step:.10g}") for index in range(first, last + 1)]


class Frame(NamedTuple):
    """Size of a chart and the edges of its plot, in pixels."""

    width: int
    height: int
    left: int
    right: int
    top: int
    base: int


class Curve(NamedTuple):
    """A distribution: its outline as an SVG path, and its median."""

    outline: str
    median: Tick


@dataclass(frozen=True, slots=True)
class Histogram:
    """Two distributions over the same bins."""

    clean: Curve
    guarded: Curve
    ticks: list[Tick]
    frame: Frame


def histogram(clean: Values, guarded: Values, bins: int = 32) -> Histogram:
    """Shares of traces per bin; what lies above the 99th percentile of all traces is in the last bin.

    Args:
        clean: one value per original, shape (n,), n at least 1.
        guarded: the same of the guarded traces.
        bins: number of bins.
    """
    frame = Frame(width=320, height=150, left=10, right=310, top=12, base=122)
    both = np.concatenate([clean, guarded])
    low, high = float(both.min()), float(np.percentile(both, 99))
    edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
    shares = [np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / len(values) for values in (clean, guarded)]
    x = Scale(edges[0], edges[-1], frame.left, frame.right)
    y = Scale(0, float(np.max(shares)), frame.base, frame.top)
    before, after = (
        Curve(_outline(share, edges, x, y), _median(values, x))
        for share, values in zip(shares, (clean, guarded), strict=True)
    )
    return Histogram(before, after, x.ticks(), frame)


def _outline(shares: Values, edges: Values, x: Scale, y: Scale) -> str:
    steps = "".join(f"V{y(share)}H{x(edge)}" for share, edge in zip(shares, edges[1:], strict=True))
    return f"M{x(edges[0])} {y(0)}{steps}V{y(0)}"


def _median(values: Values, x: Scale) -> Tick:
    middle = float(np.median(values))
    return Tick(x(middle), wording.number(middle))


class Whisker(NamedTuple):
    """An estimate in pixels: its value and the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate on a line that has a mark for guessing."""

    whisker: Whisker
    guess: float
    frame: Frame


def auroc_range(estimate: Estimate) -> Range:
    """An AUROC on a line from 0.3 to 1."""
    frame = Frame(width=160, height=18, left=6, right=154, top=1, base=9)
    x = Scale(0.3, 1, frame.left, frame.right)
    return Range(whisker(estimate, x), x(0.5), frame)


class Point(NamedTuple):
    """What a detector makes of a named set of traces.

    Attributes:
        name: the set.
        share: its removed share, 0 to 1.
        detector: name of the detector.
        auroc: its AUROC.
        own: False where another detection gave the numbers.
    """

    name: str
    share: float
    detector: str
    auroc: Estimate
    own: bool


class Dot(NamedTuple):
    """A point in pixels; `number`, its place in the legend from 1, is written at the height `label`."""

    number: int
    x: float
    whisker: Whisker
    own: bool
    label: float


@dataclass(frozen=True, slots=True)
class Scatter:
    """AUROC against removed share."""

    dots: list[Dot]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    guess: float
    frame: Frame


def scatter(points: Sequence[Point]) -> Scatter:
    """Places the points; the removed share in per cent, the AUROC from 0.4 (or lower, where needed) to 1."""
    frame = Frame(width=400, height=306, left=46, right=390, top=24, base=262)
    shares = [100 * point.share for point in points]
    lowest = min(ends(point.auroc)[0] for point in points)
    x = Scale(min(0.0, *shares), max(5.0, *(1.15 * share for share in shares)), frame.left, frame.right)
    y = Scale(min(0.4, lowest), 1.0, frame.base, frame.top)
    places = [(x(share), whisker(point.auroc, y)) for share, point in zip(shares, points, strict=True)]
    heights = labels([(at, spot.value) for at, spot in places])
    dots = [
        Dot(number, at, spot, point.own, label)
        for number, ((at, spot), point, label) in enumerate(zip(places, points, heights, strict=True), start=1)
    ]
    return Scatter(dots, x.ticks(5), y.ticks(6), y(0.5), frame)


def labels(dots: Sequence[tuple[float, float]]) -> list[float]:
    """Heights for the labels of dots, such that those of neighbours do not cover each other."""
    heights = [0.0] * len(dots)
    last, level = (-math.inf, 0.0), 0
    for place in sorted(range(len(dots)), key=lambda place: dots[place]):
        x, y = dots[place]
        level = (level + 1) % len(_LABEL_LEVELS) if x - last[0] < _CLOSE and abs(y - last[1]) < _CLOSE else 0
        heights[place], last = y + _LABEL_LEVELS[level], (x, y)
    return heights


def whisker(estimate: Estimate, scale: Scale) -> Whisker:
    """An estimate in pixels."""
    low, high = ends(estimate)
    return Whisker(scale(estimate.value), scale(low), scale(high))


def ends(estimate: Estimate) -> tuple[float, float]:
    """The interval; the value itself for an end that is no number."""
    low, high = (estimate.value if math.isnan(end) else end for end in (estimate.low, estimate.high))
    return low, high
