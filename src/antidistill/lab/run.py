"""Runs an experiment: schools, controls, calibration, then every method; each piece once, in several processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from antidistill.distill import Evaluation
from antidistill.errors import UsageError
from antidistill.lab import cells
from antidistill.lab.crew import crew
from antidistill.lab.experiment import Experiment
from antidistill.lab.methods import CLEAN, CONTROLS, needs_proxy
from antidistill.lab.results import Learnt, calibration, learnt, payoffs
from antidistill.lab.school import School
from antidistill.lab.store import Store
from antidistill.lab.table.calibration import Calibration, reflection_range, verdict
from antidistill.lab.worlds import knobs
from antidistill.trace import Estimate

Say = Callable[[str], None]


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
    with crew(jobs or os.cpu_count() or 1) as workers:
        for methods in ((CLEAN,), CONTROLS):  # answer-only traces are made from the clean ones
            workers.all((_traces, school, method) for school in schools.values() for method in methods)
        workers.all(_students(experiment, schools, (CLEAN, *CONTROLS)))
        calibrated = _calibrations(experiment, schools)
        for line in verdict(calibrated):
            say(line)
        _insist(calibrated, uncalibrated)
        workers.all((_proxy, school) for school in schools.values() if any(map(needs_proxy, experiment.methods)))
        workers.all((_traces, school, method) for school in schools.values() for method in experiment.rows)
        rest = [*_students(experiment, schools, experiment.rows)]
        rest += [(cells.visibility_cell, school, method) for school in schools.values() for method in experiment.rows]
        workers.all(rest)
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
    about = {"tells": school.world.tells, "knobs": knobs(school.world), "pace": school.world.pace}
    return {**about, "rows": rows, "payoffs": payoffs(students, experiment.rows, rows)}
