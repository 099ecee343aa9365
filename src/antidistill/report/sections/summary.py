"""What was compared, how much was removed, and what the strongest detector makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from antidistill.report import wording
from antidistill.report.material import Material
from antidistill.report.pairing import Pair


class Fact(NamedTuple):
    """A figure, what it counts, and how it was got."""

    value: str
    label: str
    detail: str


def summary(material: Material) -> Mapping[str, Any]:
    """The facts and the plain sentences of the first section."""
    strongest = material.visibility.strongest if material.visibility else None
    recorded, mix = material.recorded, material.mix
    return {
        "facts": _facts(material.pairs),
        "groups": {name: figures(pairs) for name, pairs in material.groups.items()},
        "alone": (material.pairing.clean_alone, material.pairing.guarded_alone),
        "verdict": wording.verdict(strongest) if strongest else "",
        "sentences": wording.findings(strongest, material.visibility) if strongest and material.visibility else [],
        "certificate": wording.certificate(mix) if mix is not None else "",
        "method": wording.method(recorded.spec) if recorded and recorded.spec else "",
        "unchanged": recorded.unchanged if recorded else {},
    }


def figures(pairs: Sequence[Pair]) -> dict[str, int | float]:
    """The exact counts of the comparison; shares are between 0 and 1."""
    return {
        "rows": len(pairs),
        "changed": sum(pair.changed for pair in pairs),
        "removed_share": removed_share(pairs),
        "answers_identical": sum(pair.clean.answer == pair.guarded.answer for pair in pairs),
    }


def removed_share(pairs: Sequence[Pair]) -> float:
    """Characters by which all guarded reasoning is shorter, over those of all originals (at most 1; below 0 if longer)."""
    before = sum(len(pair.clean.reasoning) for pair in pairs)
    return 1 - sum(len(pair.guarded.reasoning) for pair in pairs) / before if before else 0.0


def _facts(pairs: Sequence[Pair]) -> list[Fact]:
    counted = figures(pairs)
    rows, changed, identical = counted["rows"], counted["changed"], counted["answers_identical"]
    low, high = np.percentile([pair.removed_share for pair in pairs], [5, 95])
    spread = f"9 of 10 traces: {wording.percent(float(low))} to {wording.percent(float(high))}"
    return [
        Fact(wording.count(rows), "traces compared", "each with its own original"),
        Fact(
            wording.percent(changed / rows), "of traces changed", f"{wording.count(changed)} of {wording.count(rows)}"
        ),
        Fact(wording.percent(counted["removed_share"]), "of the reasoning removed", spread),
        Fact(
            _all_or(identical, rows),
            "answers unchanged",
            f"{wording.count(identical)} of {wording.count(rows)}, byte for byte",
        ),
    ]


def _all_or(identical: float, rows: float) -> str:
    return "All" if identical == rows else f"{wording.count(identical)}"
