"""Visibility against removed share, one point per slice of the traces and per other detection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from antidistill.report import charts
from antidistill.report.charts import Point
from antidistill.report.material import Material
from antidistill.report.sections.summary import removed_share
from antidistill.report.visibility import Visibility

WHOLE = "all traces of this report"


def tradeoff(material: Material) -> Mapping[str, Any] | None:
    """The chart and its legend; None where nothing was measured."""
    points = list(_points(material))
    return {"chart": charts.scatter(points), "points": points} if points else None


def _points(material: Material) -> Iterator[Point]:
    if material.visibility is not None:
        yield from _point(WHOLE, removed_share(material.pairs), material.visibility)
    for name, (share, part) in material.slices.items():
        yield from _point(name, share, part)
    for name, other in material.also.items():
        yield from _point(name, other.removed_share, other, own=False)


def _point(name: str, share: float | None, measured: Visibility, own: bool = True) -> Iterator[Point]:
    strongest = measured.strongest
    if strongest is not None and share is not None:
        yield Point(name, share, strongest.name, strongest.auroc, own)
