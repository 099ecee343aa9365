"""Short summaries of a row of numbers, defined for empty rows too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from antidistill.measure.features.view import Values

ABSENT = -1.0
"""Stands for "there is none" where 0 would be a real value; trees split it off, linear models see a constant."""


def share(flags: Iterable[object] | NDArray[np.bool_]) -> float:
    """Share of true values, 0 where there are none."""
    values = np.fromiter((bool(flag) for flag in flags), dtype=bool)
    return float(values.mean()) if values.size else 0.0


def spread(name: str, values: Values) -> dict[str, float]:
    """Mean, standard deviation and largest value."""
    if not values.size:
        return {f"{name}_mean": 0.0, f"{name}_sd": 0.0, f"{name}_max": 0.0}
    return {f"{name}_mean": float(values.mean()), f"{name}_sd": float(values.std()), f"{name}_max": float(values.max())}


def quantiles(name: str, values: Values, at: tuple[int, ...] = (10, 25, 50, 75, 90)) -> dict[str, float]:
    """Percentiles of the values, 0 where there are none."""
    found = np.percentile(values, at) if values.size else np.zeros(len(at))
    return {f"{name}_p{percent}": float(value) for percent, value in zip(at, found, strict=True)}


def binned(name: str, places: Values, values: Values, bins: int) -> dict[str, float]:
    """Mean of `values` in equal parts of the text; the overall mean where a part holds no sentence."""
    part = np.minimum((places * bins).astype(int), bins - 1)
    counts = np.bincount(part, minlength=bins)
    sums = np.bincount(part, weights=values, minlength=bins)
    overall = float(values.mean()) if values.size else 0.0
    means = np.where(counts > 0, sums / np.maximum(counts, 1), overall)
    return {f"{name}_part{index}": float(mean) for index, mean in enumerate(means)}


def prefixed(prefix: str, values: Mapping[str, float]) -> dict[str, float]:
    """The same values under `prefix.name`."""
    return {f"{prefix}.{name}": value for name, value in values.items()}
