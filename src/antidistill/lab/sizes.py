"""How large an experiment is, and the problems that it draws."""

from __future__ import annotations

import functools
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from antidistill.errors import BadOption
from antidistill.lab.models.architectures import Size
from antidistill.lab.training import Course
from antidistill.lab.worlds import Problem, World

_TRIES = 1000
_ONCE = ("test", "trial")
"""What is asked, is asked once; what is learned from, comes as often as the world draws it."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of problems and lengths of training; problems of different uses differ.

    Attributes:
        lessons: problems whose traces the world writes for the teacher.
        traces: prompts that the teacher answers, and traces that each student learns from.
        holdout: clean traces for the proxy and its gradient.
        trial: prompts on which the strength of a sampler is calibrated.
        test: problems that students are asked.
        visible: traces, at most, that detectors see of either side.
        most: tokens after which reasoning is cut off.
        teacher, student: width, layers and heads.
        teacher_course, student_course, proxy_course: how they are trained.
        temperature: of the teacher.
    """

    lessons: int
    traces: int
    holdout: int
    trial: int
    test: int
    visible: int
    most: int
    teacher: Size
    student: Size
    teacher_course: Course
    student_course: Course
    proxy_course: Course
    temperature: float = 0.6

    def __post_init__(self) -> None:
        for name in ("lessons", "traces", "holdout", "trial", "test", "visible", "most"):
            if getattr(self, name) < 1:
                raise BadOption(name, getattr(self, name), "a whole number of at least 1")

    def at_pace(self, pace: float) -> Sizes:
        """The same with `pace` times the steps for students and proxy; the teacher's stay."""
        courses = {name: getattr(self, name) for name in ("student_course", "proxy_course")}
        return replace(self, **{name: replace(one, steps=round(pace * one.steps)) for name, one in courses.items()})


DEFAULT = Sizes(
    lessons=8000,
    traces=3200,
    holdout=200,
    trial=200,
    test=300,
    visible=250,
    most=100,
    teacher=Size(256, 4, 4),
    student=Size(64, 2, 2),
    teacher_course=Course(500),
    student_course=Course(200),
    proxy_course=Course(100),
)
"""A student takes about ten seconds of one core. It stops learning while it still errs at rarer facts: see the design note."""
QUICK = Sizes(
    lessons=2000,
    traces=300,
    holdout=40,
    trial=30,
    test=50,
    visible=40,
    most=90,
    teacher=Size(64, 2, 2),
    student=Size(64, 2, 2),
    teacher_course=Course(150),
    student_course=Course(40),
    proxy_course=Course(20),
)
"""Shows in a few minutes that everything runs; its teacher is far from calibrated."""


def problems(world: World, sizes: Sizes, seed: int) -> Mapping[str, Sequence[Problem]]:
    """The problems of each use: no prompt has two uses, and none is asked twice in tests and trials.

    Raises:
        BadOption: the world has not as many different problems.
    """
    found: Mapping[str, Sequence[Problem]] = _drawn(world, sizes, seed)  # type: ignore[arg-type]
    return found


@functools.lru_cache(maxsize=16)
def _drawn(world: Any, sizes: Sizes, seed: int) -> dict[str, list[Problem]]:
    wanted = {
        "test": sizes.test,
        "trial": sizes.trial,
        "holdout": sizes.holdout,
        "traces": sizes.traces,
        "lessons": sizes.lessons,
    }
    generator = random.Random(f"{world.name} problems {seed}")
    taken: set[str] = set()
    found: dict[str, list[Problem]] = {}
    for use, count in wanted.items():
        found[use] = []
        for _ in range(count):
            problem = _fresh(world, generator, taken)
            found[use].append(problem)
            if use in _ONCE:
                taken.add(problem.prompt)
        taken.update(problem.prompt for problem in found[use])
    return found


def _fresh(world: World, generator: random.Random, taken: Collection[str]) -> Problem:
    for _ in range(_TRIES):
        problem = world.problem(generator)
        if problem.prompt not in taken:
            return problem
    raise BadOption("world", world.name, "one with more different problems: widen its knobs or draw fewer")
