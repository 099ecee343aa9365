"""What a student is trained on: the traces as they are, guarded, or without their reasoning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from antidistill import defenses, registry
from antidistill.defenses.matching import guarded, removed_share
from antidistill.errors import BadOption, UnknownName
from antidistill.trace import Trace

AS_GIVEN, ANSWER_ONLY, UNTRAINED = "as-given", "answer-only", "untrained"
SPECIAL = (AS_GIVEN, ANSWER_ONLY, UNTRAINED)
"""The traces as they came; only their answers; no training at all."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One student of an experiment.

    Attributes:
        name: unique in the experiment.
        method: a defense, `answer-only`, `untrained` or `as-given`.
        options: of the defense.
        expected: published numbers, by name of the measure.
    """

    name: str
    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = [*SPECIAL, *registry.names("defenses")]
        if self.method not in known:
            raise UnknownName("condition", self.method, known)

    @property
    def trains(self) -> bool:
        """Whether the student is trained at all."""
        return self.method != UNTRAINED

    def traces(self, traces: Sequence[Trace], key: bytes) -> Material:
        """What the student learns from.

        Raises:
            UnknownName: the defense has no such option.
            BadOption: an option out of its range.
        """
        if self.method in (AS_GIVEN, UNTRAINED):
            return Material(list(traces), self.method, 0.0)
        if self.method == ANSWER_ONLY:
            return Material([replace(trace, reasoning="") for trace in traces], self.method, 1.0)
        defense = defenses.make(self.method, key=key, **self.options)
        changed = guarded(traces, defense)
        return Material(changed, defenses.spec(defense), removed_share(traces, changed))


@dataclass(frozen=True, slots=True)
class Material:
    """Training traces of a condition.

    Attributes:
        traces: in the order of the originals.
        spec: how they came about.
        removed_share: of the characters of the reasoning, in [0, 1].
    """

    traces: list[Trace]
    spec: str
    removed_share: float


def parse_condition(text: str) -> Condition:
    """A condition as the command line has it: `none`, `answer-only`, `traceguard:k=20`, `branches:share=0.15,…`.

    Raises:
        UnknownName: no such method.
        BadOption: an option without a value.
    """
    method, _, listed = text.partition(":")
    options: dict[str, Any] = {}
    for part in filter(None, listed.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            raise BadOption("condition", text, "METHOD or METHOD:option=value,… such as traceguard:k=20")
        options[name.strip()] = _value(value.strip())
    return Condition(text, method.strip(), options)


def _value(text: str) -> Any:
    """JSON where it can be, else text, as with `guard --set`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
