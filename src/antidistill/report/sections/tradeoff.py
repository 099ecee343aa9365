"""Visibility against removed share, one point per slice of the traces and per other detection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from antidistill.report import charts
from antidistill.report.charts import Point
from antidistill.report.material import Material
from antidistill.report.sections.summary import removed_share

WHOLE = "all traces of this report"


def tradeoff(material: Material) -> Mapping[str, Any] | None:
    """The chart and its legend; None where nothing was measured."""
    points = list(_points(material))
    return {"chart": charts.scatter(points), "points": points} if points else None


def _points(material: Material) -> Iterator[Point]:
    measured = material.visibility
    if measured is not None and measured.strongest is not None:
        yield Point(WHOLE, removed_share(material.pairs), measured.strongest.auroc, True)
    for name, (share, part) in material.slices.items():
        if part.strongest is not None:
            yield Point(name, share, part.strongest.auroc, True)
    for name, other in material.also.items():
        if other.strongest is not None and other.removed_share is not None:
            yield Point(name, other.removed_share.value, other.strongest.auroc, False)
