"""Who the students are: architectures, and where one needs a size or a course of its own.

Apart from `students`, so that a student more leaves the results of all others valid: what stands here is part of their keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from antidistill.lab.models.architectures import Size
from antidistill.lab.sizes import Sizes
from antidistill.lab.training import Course

PRETRAINED = "smollm2-135m"


@dataclass(frozen=True, slots=True)
class Student:
    """A student; what is None is taken from the sizes of the experiment.

    Attributes:
        architecture: one of `ARCHITECTURES`, or the name of a pretrained model.
        size, course: where this architecture needs its own.
        pace: share of the steps of the experiment's course: who learns faster gets fewer, who learns slower gets more, so
            that clean students of all architectures have something to lose.
    """

    architecture: str
    size: Size | None = None
    course: Course | None = None
    pace: float = 1.0


STUDENTS: Mapping[str, Student] = {
    "llama": Student("llama", pace=0.94),
    "gpt2": Student("gpt2", pace=1.28),
    "qwen2": Student("qwen2", pace=0.92),
    "gru": Student("gru", Size(192, 1), Course(800, rate=1e-2, optimizer="adamw")),
    "mamba": Student("mamba", Size(96, 2), Course(270, optimizer="adamw")),
    PRETRAINED: Student(PRETRAINED, None, Course(40, 8, 3e-4, "adamw")),
}


def course_of(student: Student, sizes: Sizes) -> Course:
    """How the student is trained."""
    course = student.course or sizes.student_course
    return replace(course, steps=max(1, round(student.pace * course.steps)))
