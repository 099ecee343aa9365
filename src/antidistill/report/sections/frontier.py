"""Damage against visibility, one chart per set-up; the paper's tables; what the game answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from antidistill.report.material import Material
from antidistill.report.plane import Plane, plane, unbeaten
from antidistill.report.published import damages, method_of, published
from antidistill.report.standings import Setup, Standing
from antidistill.theory.game.payoffs import AUROC

COLOURS = 10
"""Colours of the style sheet; a method has the same one in every chart of the page."""


class Row(NamedTuple):
    """A method in the table of a set-up; `number` is that of its spot, 0 where it has none."""

    number: int
    colour: int
    standing: Standing
    unbeaten: bool
    printed: str


class Panel(NamedTuple):
    """One set-up; no chart where no method has both numbers."""

    setup: Setup
    chart: Plane | None
    rows: list[Row]


def frontier(material: Material) -> Mapping[str, Any] | None:
    """A panel per set-up; None where no damage was measured."""
    found = material.frontier
    if found is None or not found.setups:
        return None
    names = dict.fromkeys(standing.method for setup in found.setups for standing in setup.standings)
    colours = {name: place % COLOURS for place, name in enumerate(names)}
    methods = {method_of(name) for name in names}
    return {
        "panels": [_panel(setup, colours) for setup in found.setups],
        "answers": found.answers,
        "auroc": any(setup.seen == AUROC for setup in found.setups),
        "published": [row for row in published() if row.method in methods],
    }


def _panel(setup: Setup, colours: Mapping[str, int]) -> Panel:
    shown = [standing for standing in setup.standings if standing.damage and standing.visibility]
    values = [(s.visibility.value, s.damage.value) for s in shown if s.visibility and s.damage]
    best = {shown[place].method for place in unbeaten(values)}
    numbers = {standing.method: number for number, standing in enumerate(shown, start=1)}
    rows = [
        Row(numbers.get(s.method, 0), colours[s.method], s, s.method in best, damages(s.method))
        for s in setup.standings
    ]
    return Panel(setup, _chart(shown, colours, setup.seen == AUROC), rows)


def _chart(shown: Sequence[Standing], colours: Mapping[str, int], auroc: bool) -> Plane | None:
    places = [
        (number, colours[standing.method], standing.visibility, standing.damage)
        for number, standing in enumerate(shown, start=1)
        if standing.visibility and standing.damage
    ]
    return plane(places, auroc) if places else None
