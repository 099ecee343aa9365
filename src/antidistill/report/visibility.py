"""A detection, as `antidistill detect --json` writes it, in the form that the sections read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antidistill.errors import InputError
from antidistill.trace import Estimate


@dataclass(frozen=True, slots=True)
class Detector:
    """One unpaired detector.

    Attributes:
        name: its name.
        auroc: area under the ROC curve, 0 to 1; 0.5 is guessing.
        tpr: share of guarded traces found where 1 % of clean ones are accused, 0 to 1.
    """

    name: str
    auroc: Estimate
    tpr: Estimate | None


@dataclass(frozen=True, slots=True)
class Visibility:
    """Every number of one detection; None stands for what was not measured."""

    paired: tuple[tuple[str, Estimate | None], ...]
    detectors: tuple[Detector, ...]
    best: str
    traces_to_detect: Estimate | None
    removed_share: Estimate | None

    @property
    def strongest(self) -> Detector | None:
        """The detector named best in the detection, else the one with the highest AUROC."""
        named = (detector for detector in self.detectors if detector.name == self.best)
        return next(named, max(self.detectors, key=lambda detector: detector.auroc.value, default=None))


def read(detection: Mapping[str, Any]) -> Visibility:
    """Checks the shape of a detection.

    Raises:
        InputError: a part is missing or is no estimate.
    """
    try:
        return _read(detection)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"the detection lacks a part or has it in another shape ({type(error).__name__}: {error}); "
            "give what antidistill detect --json writes."
        ) from error


def _read(detection: Mapping[str, Any]) -> Visibility:
    unpaired = dict(detection["unpaired"])
    best = unpaired.get("best")
    entries = {name: entry for name, entry in unpaired.items() if isinstance(entry, Mapping)}
    found = (
        (name, estimate(name, entry["auroc"]), estimate(name, entry.get("tpr_at_1pct")))
        for name, entry in entries.items()
    )
    return Visibility(
        paired=tuple((name, estimate(name, value)) for name, value in detection["paired"].items()),
        detectors=tuple(Detector(name, auroc, tpr) for name, auroc, tpr in found if auroc is not None),
        best=best if isinstance(best, str) else "",
        traces_to_detect=estimate("traces to detect", detection.get("traces_to_detect")),
        removed_share=estimate("removed share", detection.get("removed_share")),
    )


def estimate(name: str, value: Mapping[str, Any] | None) -> Estimate | None:
    """An estimate from its four JSON fields; None for null and for a value that is no number."""
    if value is None or value["value"] is None or math.isnan(value["value"]):
        return None
    low, high = (math.nan if value[end] is None else float(value[end]) for end in ("low", "high"))
    return Estimate(name, float(value["value"]), low, high, int(value["n"]))
