"""The stored results that `results.py` makes its page of, each of which may not be there yet."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from antidistill import registry
from antidistill.lab.methods import CLEAN, CONTROLS
from antidistill.report import read_frontier
from antidistill.report.standings import Setup, Standing
from antidistill.trace import Estimate

FILES = {
    "visibility": "visibility.json",
    "real text": "real_text.json",
    "lab": "lab/results.json",
    "mixing": "lab/mixing/results.json",
    "sampling": "sampling.json",
    "guard": "guard.json",
}
LATER_LAB_RUNS = ("lab/anchors/results.json",)
"""Further methods in the worlds of the default run, with its clean students."""
SCRIPTS = {
    "visibility": "benchmarks/visibility.py",
    "real text": "benchmarks/real_text.py",
    "lab": "antidistill lab -o benchmarks/lab",
    "mixing": "antidistill lab --methods none,traceguard,traceguard@0.75,traceguard@0.5,traceguard@0.25 -o benchmarks/lab/mixing",
    "sampling": "benchmarks/sampling.py",
    "guard": "benchmarks/guard.py",
}


@dataclass(frozen=True)
class Stored:
    """What is there.

    Attributes:
        found: content by name of the part.
        lab, real_text: damage and visibility by set-up.
        later: methods of the lab that the default run does not hold.
    """

    found: dict[str, Any]
    lab: tuple[Setup, ...]
    real_text: tuple[Setup, ...]
    later: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        """Parts without a file."""
        return [name for name in FILES if name not in self.found]

    def methods(self) -> list[str]:
        """Every method with a number, defenses first, in the order of the registry; without the controls."""
        seen = {cell["method"] for cell in self.cells().values()}
        seen |= {standing.method for setup in (*self.lab, *self.real_text) for standing in setup.standings}
        known = [*registry.names("defenses"), *registry.names("samplers")]
        controls = (CLEAN, *CONTROLS)
        return [name for name in dict.fromkeys([*known, *sorted(seen)]) if name in seen and name not in controls]

    def cells(self) -> dict[str, Any]:
        """The detections of `visibility.json`."""
        cells: dict[str, Any] = self.found.get("visibility", {}).get("cells", {})
        return cells

    def standings(self, method: str) -> list[tuple[Setup, Standing]]:
        """Where a method's damage was measured, the lab first."""
        return [
            (setup, standing)
            for setup in (*self.lab, *self.real_text)
            for standing in setup.standings
            if standing.method == method and standing.damage is not None
        ]


def read(folder: Path) -> Stored:
    """What lies in the folder."""
    paths = {name: folder / file for name, file in FILES.items() if (folder / file).exists()}
    found = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items()}
    seen = [paths["visibility"]] if "visibility" in paths else []
    default = read_frontier([paths["lab"]]).setups if "lab" in paths else ()
    more = [folder / file for file in LATER_LAB_RUNS if default and (folder / file).exists()]
    lab = _joined([*default, *(read_frontier(more).setups if more else ())])
    later = tuple(dict.fromkeys(name for name in _methods(lab) if name not in _methods(default)))
    real_text = read_frontier([paths["real text"], *seen]).setups if "real text" in paths else ()
    return Stored(found, lab, real_text, later)


def _methods(setups: Sequence[Setup]) -> list[str]:
    return [standing.method for setup in setups for standing in setup.standings]


def sides(estimate: Estimate) -> str:
    """Whether the interval lies above zero, below it, or holds it."""
    if estimate.low > 0:
        return "above"
    return "below" if estimate.high < 0 else "open"


def interval(estimate: Estimate, form: str, factor: float = 1.0) -> str:
    """A value with its interval, as in +0.013 [+0.011, +0.015]."""
    value, low, high = (form % (factor * end) for end in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]" if estimate.low == estimate.low else value


def damage(setup: Setup, standing: Standing) -> str:
    """The damage of a method in its unit."""
    assert standing.damage is not None
    return interval(standing.damage, "%+.4f" if "nats" in setup.unit else "%+.1f")


def row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def estimate(value: dict[str, Any]) -> Estimate:
    """An estimate of a stored result."""
    return Estimate("", value["value"], value["low"], value["high"], value["n"])


def _joined(setups: Sequence[Setup]) -> tuple[Setup, ...]:
    """Runs of the same set-up as one; of a method that stands in several, the first."""
    joined: dict[str, Setup] = {}
    for setup in setups:
        before = joined.get(setup.title)
        known = {standing.method for standing in before.standings} if before else set()
        new = tuple(standing for standing in setup.standings if standing.method not in known)
        joined[setup.title] = replace(before, standings=(*before.standings, *new)) if before else setup
    return tuple(joined.values())
