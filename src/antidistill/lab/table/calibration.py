"""Whether a world is fit to compare methods in: what teacher, clean student and answer-only student must reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from antidistill.trace import Estimate

TEACHER = 0.90
STUDENT = (0.60, 0.95)
REASONING = 0.20
REFLECTION = 0.10
"""The value of reflection that at least one world must reach; another one must be near zero."""
NEAR_ZERO = 0.03


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the controls of one student in one world say.

    Attributes:
        teacher: accuracy of the clean traces.
        clean: accuracy of the student of the clean traces.
        answer_only: of the student that saw answers and no reasoning.
        reasoning: clean minus answer-only.
        reflection: clean minus the student of traces without reflection: what reflection is worth.
    """

    teacher: Estimate
    clean: Estimate
    answer_only: Estimate
    reasoning: Estimate
    reflection: Estimate

    def faults(self) -> list[str]:
        """What keeps the world from being fit, in words; empty where it is fit."""
        low, high = STUDENT
        found = []
        if self.teacher.value < TEACHER:
            found.append(f"the teacher reaches {self.teacher.value:.1%}, below {TEACHER:.0%}")
        if not low <= self.clean.value <= high:
            found.append(f"the clean student reaches {self.clean.value:.1%}, not {low:.0%} to {high:.0%}")
        if self.reasoning.value < REASONING:
            found.append(
                f"the answer-only student is {100 * self.reasoning.value:.1f} points behind, not {100 * REASONING:.0f}"
            )
        return found

    def to_json(self) -> dict[str, Any]:
        """All five estimates and the faults."""
        names = ("teacher", "clean", "answer_only", "reasoning", "reflection")
        return {name: getattr(self, name).to_json() for name in names} | {"faults": self.faults()}


def reflection_range(found: Mapping[str, Mapping[str, Calibration]]) -> tuple[float, float]:
    """The least and the largest value of reflection, each world's averaged over its students."""
    means = [
        sum(one.reflection.value for one in students.values()) / len(students)
        for students in found.values()
        if students
    ]
    return min(means), max(means)


def verdict(found: Mapping[str, Mapping[str, Calibration]]) -> Sequence[str]:
    """One sentence per world and student, and one about the range of the value of reflection."""
    lines = []
    for world, students in found.items():
        for student, one in students.items():
            said = "; ".join(one.faults()) or "fit"
            lines.append(
                f"{world}, {student}: teacher {one.teacher.value:.1%}, clean {one.clean.value:.1%}, answer only "
                f"{one.answer_only.value:.1%}, value of reflection {_points(one.reflection)}: {said}."
            )
    if found:
        low, high = reflection_range(found)
        reached = low <= NEAR_ZERO and high >= REFLECTION
        wide = "from about zero to ten points or more" if reached else "not from about zero to ten points"
        lines.append(f"The value of reflection goes from {100 * low:+.1f} to {100 * high:+.1f} points: {wide}.")
    return lines


def _points(estimate: Estimate) -> str:
    return f"{100 * estimate.value:+.1f} [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}] points"
