"""The two kinds of cells: one student after one set of traces, and how visible one set of traces is."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from antidistill.formats import read
from antidistill.lab.methods import CLEAN
from antidistill.lab.roster import STUDENTS, course_of
from antidistill.lab.school import School, load
from antidistill.lab.store import code
from antidistill.lab.students import ask, build, teach
from antidistill.measure import Options, detect
from antidistill.measure.likelihood import LanguageModel
from antidistill.measure.models import load_encoder, missing
from antidistill.measure.options import Instruments
from antidistill.trace import Estimate, Trace

_LEARNING = ("models", "training", "generating", "students", "words")
_REPEATS = 1
"""Cross-fittings of each detector: one, since there are many cells and none of them is looked at alone."""
_MODEL_PAIRS = 100
"""Pairs that the sentence encoder and the teacher read; detectors that need them compete apart from the others."""


def student_cell(school: School, method: str, student: str, seed: int) -> Any:
    """What a student answers that learned from the traces of a method: `Evaluation.to_json()`, its last loss, and seconds.

    The key is the traces themselves, the test questions, the student and how it is taught; how the traces came about does not
    matter.
    """
    traces = school.traces(method) / "traces.jsonl"
    learner = STUDENTS[student]
    spec = {
        "about": f"{school.world.name}, {method}, {student}, seed {seed}",
        "traces": _digest(traces),
        "test": hashlib.sha256(repr(school.problems("test")).encode()).hexdigest(),
        "student": asdict(learner) | {"size": asdict(learner.size or school.sizes.student)},
        "course": asdict(course_of(learner, school.sizes)),
        "most": school.sizes.most,
        "seed": seed,
        "code": code(*(f"antidistill.lab.{part}" for part in _LEARNING), "antidistill.distill.layout"),
        "libraries": school.made_of()["libraries"],
    }
    return school.store.value("students", spec, lambda: _graduate(school, traces, student, seed))


def _graduate(school: School, traces: Path, student: str, seed: int) -> dict[str, Any]:
    started = time.perf_counter()
    learner = STUDENTS[student]
    model, words = build(learner, load(school.teacher())[1], school.sizes, seed)
    loss = teach(model, words, list(read(traces)), course_of(learner, school.sizes), seed)
    taught = time.perf_counter()
    found = ask(model, words, school.world, school.problems("test"), school.sizes.most)
    asked = time.perf_counter()
    return {**found.to_json(), "loss": loss, "seconds": {"teach": taught - started, "ask": asked - taught}}


def visibility_cell(school: School, method: str) -> Any:
    """Paired metrics and unpaired detectors of a method's traces against the clean ones: `Detection.to_json()`.

    Perplexity is that of the world's teacher, which no adversary has: detectors that look through it are stronger than his.
    """
    clean, theirs = (school.traces(name) / "traces.jsonl" for name in (CLEAN, method))
    spec = {
        "about": f"{school.world.name}, {method}",
        "clean": _digest(clean),
        "guarded": _digest(theirs),
        "visible": school.sizes.visible,
        "model_pairs": _MODEL_PAIRS,
        "repeats": _REPEATS,
        "code": code("antidistill.measure", "antidistill.text"),
    }

    def measured() -> dict[str, Any]:
        ours, others = (list(read(path))[: school.sizes.visible] for path in (clean, theirs))
        options = Options(model_pairs=_MODEL_PAIRS, repeats=_REPEATS)
        return detect(ours, others, options, instruments=_instruments(school)).to_json()

    return school.store.value("visibility", spec, measured)


@functools.lru_cache(maxsize=4)
def _instruments(school: School) -> Instruments:
    """The world's teacher as language model, and the small sentence encoder where it is installed."""
    teacher = LanguageModel("the teacher", *load(school.teacher()))
    lacking = missing(language_model="")
    encoder = None if lacking else load_encoder()
    return Instruments(teacher, encoder, f"needs {', '.join(lacking)}" if lacking else "")


def facts(school: School, method: str) -> dict[str, Any]:
    """How the traces of a method came about, and how many of their answers are right."""
    from antidistill.measure.intervals import wilson

    found: dict[str, Any] = orjson.loads((school.traces(method) / "facts.json").read_bytes())
    right: Sequence[bool] = found.pop("right")
    share = sum(right) / len(right)
    return found | {"teacher": Estimate("teacher accuracy", share, *wilson(share, len(right)), len(right)).to_json()}


def _digest(path: Path) -> str:
    """Of the texts alone: ids tell the uses of prompts apart, but no student reads them."""
    found = hashlib.sha256()
    for trace in read(path):
        found.update(orjson.dumps(_texts(trace)))
    return found.hexdigest()


def _texts(trace: Trace) -> list[str]:
    return [trace.prompt, trace.reasoning, trace.answer]
