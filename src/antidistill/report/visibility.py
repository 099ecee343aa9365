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
    """Every number of one detection.

    Attributes:
        paired: metric by name; None where it was not measured.
        sides: mean of the originals and of the guarded traces, for metrics that are a difference.
        detectors: in the order of the detection.
        best: name of the strongest detector; empty if none is named.
        chosen: AUROC where each fold is scored by the detector that did best on the other folds.
        traces_to_detect: size of a pile that gives itself away; infinite where no size does.
        removed_share: share of the tokens that the guarded traces lack (at most 1).
        missing: why a metric or detector has no number.
        n: pairs that were compared.
    """

    paired: Mapping[str, Estimate | None]
    sides: Mapping[str, tuple[Estimate, Estimate]]
    detectors: tuple[Detector, ...]
    best: str
    chosen: Estimate | None
    traces_to_detect: Estimate | None
    removed_share: float | None
    missing: Mapping[str, str]
    n: int

    @property
    def strongest(self) -> Detector | None:
        """The detector that the detection names as best, else the one with the highest AUROC."""
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
    unpaired, paired = dict(detection["unpaired"]), detection["paired"]
    best = unpaired.pop("best", None)
    return Visibility(
        paired={name: estimate(name, value) for name, value in paired.items()},
        sides={name: sides for name, value in paired.items() if (sides := _sides(name, value))},
        detectors=tuple(found for name, entry in unpaired.items() if (found := _detector(name, entry))),
        best=best or "",
        chosen=estimate("chosen", detection.get("chosen_in_training")),
        traces_to_detect=estimate("traces to detect", detection.get("traces_to_detect"), null=math.inf),
        removed_share=_removed_share(_sides("tokens", paired.get("tokens"))),
        missing=dict(detection.get("missing", {})),
        n=int(detection["n"]),
    )


def _sides(name: str, metric: Mapping[str, Any] | None) -> tuple[Estimate, Estimate] | None:
    sides = [estimate(name, (metric or {}).get(side)) for side in ("clean", "guarded")]
    return (sides[0], sides[1]) if sides[0] and sides[1] else None


def _detector(name: str, entry: Mapping[str, Any]) -> Detector | None:
    auroc = estimate(name, entry["auroc"])
    return None if auroc is None else Detector(name, auroc, estimate(name, entry.get("tpr_at_1pct")))


def _removed_share(tokens: tuple[Estimate, Estimate] | None) -> float | None:
    return 1 - tokens[1].value / tokens[0].value if tokens and tokens[0].value else None


def estimate(name: str, value: Mapping[str, Any] | None, null: float = math.nan) -> Estimate | None:
    """An estimate from its JSON fields, where `null` is what null stands for; None where there is no number."""
    if value is None:
        return None
    middle, low, high = (null if value[part] is None else float(value[part]) for part in ("value", "low", "high"))
    return None if math.isnan(middle) else Estimate(name, middle, low, high, int(value["n"]), value.get("unit", ""))
