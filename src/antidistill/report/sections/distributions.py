"""How simple features are distributed in originals and guarded traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from antidistill.report import charts
from antidistill.report.charts import Histogram
from antidistill.report.features import FEATURES, Feature, measured
from antidistill.report.material import Material

_MOST_GROUPS = 8


class Figure(NamedTuple):
    """A feature and its two distributions."""

    feature: Feature
    chart: Histogram


def distributions(material: Material) -> Mapping[str, Any]:
    """Charts over all traces, and per group where there are several."""
    clean = measured(pair.clean.reasoning for pair in material.pairs)
    guarded = measured(pair.guarded.reasoning for pair in material.pairs)
    names = np.array([pair.group for pair in material.pairs])
    groups = list(material.groups)[:_MOST_GROUPS] if len(material.groups) > 1 else []
    by_group = [
        (name, int((names == name).sum()), _figures(clean[names == name], guarded[names == name])) for name in groups
    ]
    return {"figures": _figures(clean, guarded), "by_group": by_group}


def _figures(clean: NDArray[np.float64], guarded: NDArray[np.float64]) -> list[Figure]:
    columns = zip(FEATURES, clean.T, guarded.T, strict=True)
    return [Figure(feature, charts.histogram(before, after)) for feature, before, after in columns]
