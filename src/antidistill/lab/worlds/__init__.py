"""Synthetic reasoning worlds: problems with checkable answers, and traces in which markers play a known role."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from antidistill.errors import BadOption, UnknownName
from antidistill.lab.worlds.base import Problem, World
from antidistill.lab.worlds.corrections import Corrections
from antidistill.lab.worlds.decoration import Decoration
from antidistill.lab.worlds.mixture import Mixture
from antidistill.lab.worlds.plan import Plan

__all__ = ["WORLDS", "Problem", "World", "knobs", "make"]

WORLDS: Mapping[str, type[World]] = {world.name: world for world in (Corrections, Plan, Decoration, Mixture)}


def make(text: str) -> World:
    """The world of a text such as `plan` or `corrections:slip=0.4,steps=3`.

    Raises:
        UnknownName: no such world, or no such knob of it.
        BadOption: a knob out of its range, or not written name=value.
    """
    name, _, said = text.partition(":")
    if name not in WORLDS:
        raise UnknownName("world", name, WORLDS)
    world = WORLDS[name]
    defaults = {field.name: field.default for field in dataclasses.fields(world)}  # type: ignore[arg-type]
    changes: dict[str, Any] = {}
    for part in filter(None, said.split(",")):
        knob, equals, value = part.partition("=")
        if knob not in defaults:
            raise UnknownName(f"knob of {name}", knob, defaults)
        changes[knob] = _value(knob, value if equals else "", type(defaults[knob]))
    return world(**changes)


def knobs(world: World) -> dict[str, Any]:
    """Name and value of each knob."""
    return dataclasses.asdict(world)  # type: ignore[call-overload, no-any-return]


def _value(knob: str, text: str, kind: type) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise BadOption(knob, text, "a whole number" if kind is int else "a number") from None
