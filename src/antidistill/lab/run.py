"""Runs an experiment: schools, controls, calibration, then every method; each piece once, in several processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from antidistill.distill import Evaluation
from antidistill.errors import BadOption, UnknownName, UsageError
from antidistill.lab import cells
from antidistill.lab.calibration import Calibration, reflection_range, verdict
from antidistill.lab.results import Learnt, calibration, learnt, payoffs
from antidistill.lab.school import CLEAN, CONTROLS, School, is_text, needs_proxy
from antidistill.lab.sizes import DEFAULT, QUICK, Sizes
from antidistill.lab.store import Store
from antidistill.lab.students import STUDENTS
from antidistill.lab.worlds import make
from antidistill.trace import Estimate

Say = Callable[[str], None]
WORLDS = ("corrections", "decoration")
METHODS = ("none", "traceguard", "marker-words", "branches", "exchange", "random-sentences", "temperature", "ads")
PAIR = ("llama", "qwen2")


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is compared.

    Attributes:
        worlds: names, with knobs where wanted (`corrections:slip=0.4`).
        methods: text defenses and samplers; `none` is always among them.
        students: names out of `STUDENTS`.
        seeds: students of each kind per method.
        sizes: how much of everything.
        share: share of the characters that text defenses remove, in (0, 1).
        price: accuracy of the teacher that samplers may cost, in (0, 1).
        seed: of problems and teachers.
    """

    worlds: tuple[str, ...] = WORLDS
    methods: tuple[str, ...] = METHODS
    students: tuple[str, ...] = PAIR
    seeds: int = 3
    sizes: Sizes = DEFAULT
    share: float = 0.2
    price: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("worlds", "methods", "students"):
            given = getattr(self, name)
            if not given or len(set(given)) < len(given):
                raise BadOption(name, ",".join(given), "at least one name, none of them twice")
        for student in self.students:
            if student not in STUDENTS:
                raise UnknownName("student", student, STUDENTS)
        for method in self.methods:
            is_text(method)
        for world in self.worlds:
            make(world)
        if self.seeds < 1:
            raise BadOption("seeds", self.seeds, "a whole number of at least 1")
        for name in ("share", "price"):
            if not 0 < getattr(self, name) < 1:
                raise BadOption(name, getattr(self, name), "a number above 0 and below 1")

    @property
    def rows(self) -> tuple[str, ...]:
        """All methods, `none` first."""
        return (CLEAN, *(method for method in self.methods if method != CLEAN))

    def schools(self, store: Store) -> dict[str, School]:
        """A school for each world."""
        return {name: School(make(name), self.sizes, self.seed, self.share, self.price, store) for name in self.worlds}


QUICK_RUN = Experiment(
    worlds=("plan",), methods=("none", "traceguard", "ads"), students=("llama",), seeds=1, sizes=QUICK
)


def run(experiment: Experiment, folder: Path, *, jobs: int = 0, uncalibrated: bool = False, say: Say = print) -> Any:
    """Makes every piece that is missing and returns the results (`docs/lab.md` describes them).

    Args:
        experiment: what is compared.
        folder: where pieces are kept; a run that was stopped goes on from them.
        jobs: processes, each with one thread; 0 = one per core.
        uncalibrated: compare methods even in a world that is not fit for it.
        say: called with a line about each piece.

    Raises:
        UsageError: a world is not fit and `uncalibrated` is not set.
        OutputError: the folder cannot be written.
    """
    store = Store(folder, say)
    schools = experiment.schools(store)
    with _crew(jobs or os.cpu_count() or 1) as crew:
        for methods in ((CLEAN,), CONTROLS):  # answer-only traces are made from the clean ones
            crew.all((_traces, school, method) for school in schools.values() for method in methods)
        crew.all(_students(experiment, schools, (CLEAN, *CONTROLS)))
        calibrated = _calibrations(experiment, schools)
        for line in verdict(calibrated):
            say(line)
        _insist(calibrated, uncalibrated)
        crew.all((_proxy, school) for school in schools.values() if any(map(needs_proxy, experiment.methods)))
        crew.all((_traces, school, method) for school in schools.values() for method in experiment.rows)
        rest = [*_students(experiment, schools, experiment.rows)]
        rest += [(cells.visibility_cell, school, method) for school in schools.values() for method in experiment.rows]
        crew.all(rest)
    return _results(experiment, schools, calibrated)


def _traces(school: School, method: str) -> str:
    return str(school.traces(method))


def _proxy(school: School) -> str:
    return str(school.proxy())


def _students(
    experiment: Experiment, schools: Mapping[str, School], methods: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    for seed in range(experiment.seeds):
        for school in schools.values():
            for student in experiment.students:
                for method in methods:
                    yield cells.student_cell, school, method, student, seed


def _learnt(experiment: Experiment, school: School, methods: Sequence[str]) -> dict[str, Learnt]:
    """Estimates by student; every cell is there already."""
    return {
        student: learnt(
            {
                method: [
                    Evaluation.from_json(cells.student_cell(school, method, student, seed))
                    for seed in range(experiment.seeds)
                ]
                for method in methods
            }
        )
        for student in experiment.students
    }


def _calibrations(experiment: Experiment, schools: Mapping[str, School]) -> dict[str, dict[str, Calibration]]:
    found = {}
    for name, school in schools.items():
        teacher = cells.facts(school, CLEAN)["teacher"]
        estimate = Estimate("teacher accuracy", **teacher)
        students = _learnt(experiment, school, (CLEAN, *CONTROLS))
        found[name] = {student: calibration(estimate, one) for student, one in students.items()}
    return found


def _insist(found: Mapping[str, Mapping[str, Calibration]], uncalibrated: bool) -> None:
    unfit = [world for world, students in found.items() if any(one.faults() for one in students.values())]
    if unfit and not uncalibrated:
        raise UsageError(
            f"not fit to compare methods in: {', '.join(unfit)}; change the world's knobs, or give --uncalibrated to "
            "compare all the same (the results say so)."
        )


def _results(
    experiment: Experiment, schools: Mapping[str, School], calibrated: Mapping[str, Mapping[str, Calibration]]
) -> dict[str, Any]:
    low, high = reflection_range(calibrated)
    return {
        "experiment": asdict(experiment),
        "calibration": {
            "worlds": {
                world: {student: one.to_json() for student, one in students.items()}
                for world, students in calibrated.items()
            },
            "reflection": {"least": low, "most": high},
            "verdict": list(verdict(calibrated)),
        },
        "worlds": {name: _world(experiment, school) for name, school in schools.items()},
    }


def _world(experiment: Experiment, school: School) -> dict[str, Any]:
    students = _learnt(experiment, school, (*experiment.rows, *CONTROLS))
    rows: dict[str, dict[str, Any]] = {}
    for method in (*experiment.rows, *CONTROLS):
        rows[method] = cells.facts(school, method)
        rows[method]["students"] = {student: one.of(method) for student, one in students.items()}
        if method not in CONTROLS:
            rows[method]["visibility"] = cells.visibility_cell(school, method)
    return {"tells": school.world.tells, "rows": rows, "payoffs": payoffs(students, experiment.rows, rows)}


class _Crew:
    """Runs tasks: in this process, or in several."""

    def __init__(self, pool: ProcessPoolExecutor | None) -> None:
        self._pool = pool

    def all(self, tasks: Iterable[tuple[Any, ...]]) -> None:
        """Runs all tasks; the first error ends the run, what is finished stays."""
        if self._pool is None:
            for task, *arguments in tasks:
                task(*arguments)
            return
        waiting: list[Future[Any]] = [self._pool.submit(task, *arguments) for task, *arguments in tasks]
        try:
            for future in as_completed(waiting):
                future.result()
        except BaseException:
            self._pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _crew(jobs: int) -> Iterator[_Crew]:
    """Processes with one thread each: models this small gain nothing from a second one."""
    if jobs == 1:
        _one_thread()
        yield _Crew(None)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _one_thread) as pool:
        yield _Crew(pool)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
