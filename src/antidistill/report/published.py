"""What papers printed, to stand beside what was measured: `published.json`."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Published:
    """One printed result; None where the source prints no number, and no source prints an interval.

    Attributes:
        method: name of the method here.
        condition: its strength, as printed.
        source: paper and table.
        setup: data and student; the teacher is R1-Distill-Qwen-7B except where the student is Qwen2.5-7B. An adaptive student
            weighs its traces by how useful they seem.
        clean: accuracy of the clean student, in percent.
        student: accuracy of the student of guarded traces, in percent.
        damage: points that the student lost, where the source prints them; they may differ from its accuracies by rounding.
        teacher: accuracy of the teacher, in percent.
        tfidf: paired distance, mean of 1 - cosine.
        semantic: paired distance, mean L2 of unit vectors.
        tokens: paired change of the number of tokens, without its sign.
    """

    method: str
    condition: str
    source: str
    setup: str
    clean: float | None = None
    student: float | None = None
    damage: float | None = None
    teacher: float | None = None
    tfidf: float | None = None
    semantic: float | None = None
    tokens: float | None = None


@functools.cache
def published() -> tuple[Published, ...]:
    """All printed results, by source and method."""
    content = json.loads(files("antidistill.report").joinpath("published.json").read_text(encoding="utf-8"))
    rows = []
    for row in content["rows"]:
        source = f"{row['source']} ({content['sources'][row['source']]})"
        rows.append(Published(**{**row, "source": source}))
    return tuple(rows)


def method_of(name: str) -> str:
    """The method in a name with its budget: `traceguard` of `traceguard k=10` and of `traceguard:k=10`."""
    return re.split(r"[\s:]", name.strip(), maxsplit=1)[0]


def damages(name: str) -> str:
    """What papers printed of the damage of a method, by set-up; empty where none did.

    Points that the student lost; where a source prints none, the accuracies of the clean and the guarded student in percent.
    """
    found: dict[str, list[str]] = {}
    for row in published():
        if row.method == method_of(name):
            told = f"{row.clean:g} to {row.student:g} %" if row.damage is None else f"{row.damage:g}"
            found.setdefault(row.setup, []).append(told)
    return "; ".join(f"{setup}: {', '.join(values)}" for setup, values in found.items())
