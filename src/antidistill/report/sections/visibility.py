"""The table of paired metrics and unpaired detectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antidistill.report import charts
from antidistill.report.glossary import DETECTORS, METRICS
from antidistill.report.material import Material


def visibility(material: Material) -> Mapping[str, Any] | None:
    """One row per metric and per detector, the strongest detector first."""
    measured = material.visibility
    if measured is None:
        return None
    detectors = sorted(measured.detectors, key=lambda detector: -detector.auroc.value)
    return {
        "metrics": [(name, METRICS.get(name, ""), estimate) for name, estimate in measured.paired.items()],
        "detectors": [
            (detector, DETECTORS.get(detector.name, ""), charts.auroc_range(detector.auroc)) for detector in detectors
        ],
        "sides": measured.sides,
        "idle": {name: why for name, why in measured.missing.items() if name not in measured.paired},
        "missing": measured.missing,
        "strongest": measured.strongest,
        "chosen": measured.chosen,
        "pairs": (measured.n, len(material.pairs)),
        "pile": measured.traces_to_detect,
    }
