"""The part of the results' page on defenses that guard each trace with a probability: damage and visibility against it."""

from collections.abc import Iterator, Mapping
from typing import Any

from antidistill.lab.methods import CLEAN, CONTROLS, unmixed
from antidistill.trace import Estimate
from results_stored import estimate, interval, row


def mixing(found: Mapping[str, Any] | None, script: str) -> Iterator[str]:
    """A table per world: one row per method and probability, with what the certificate allows a detector of single traces."""
    yield "## Mixing: each trace is guarded with probability P\n"
    if found is None:
        yield f"Not measured yet: `{script}`.\n"
        return
    yield (
        "Damage in points of accuracy. *Seen*: as above, clean against published traces. No detector of single traces exceeds "
        "1/2 + P/2 ([bounds](bounds.md)).\n"
    )
    students = found["experiment"]["students"]
    for world, one in found["worlds"].items():
        yield f"### {world}, mixed\n"
        yield row(["method", "P", "removed", *(f"damage, {name}" for name in students), "seen", "at most"])
        yield "|" + "---|" * (5 + len(students))
        for method in sorted((name for name in one["rows"] if name not in (CLEAN, *CONTROLS)), key=_order):
            yield row(_cells(method, one["rows"][method], students))
        yield ""


def _order(method: str) -> tuple[str, float]:
    name, probability = unmixed(method)
    return name, 1.0 if probability is None else probability


def _cells(method: str, found: Mapping[str, Any], students: list[str]) -> list[str]:
    name, probability = _order(method)
    damages = [interval(_points(found["students"][student]["damage"]), "%+.1f") for student in students]
    seen = interval(estimate(found["visibility"]["chosen_in_training"]), "%.2f")
    return [
        f"`{name}`",
        f"{probability:g}",
        f"{found['removed_share']:.1%}",
        *damages,
        seen,
        f"{0.5 + probability / 2:g}",
    ]


def _points(damage: Mapping[str, Any]) -> Estimate:
    ends = {name: 100 * damage[name] for name in ("value", "low", "high")}
    return estimate({**ends, "n": damage["n"]})
