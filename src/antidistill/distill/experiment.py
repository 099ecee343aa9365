"""An experiment: students of the same kind, each trained on another version of the traces, asked the same questions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from antidistill.distill.conditions import Condition, Material
from antidistill.distill.evaluate import STUDENT, Forcer, evaluate
from antidistill.distill.layout import Layout
from antidistill.distill.processes import gathered, is_first, my_number, my_share
from antidistill.distill.questions import Question
from antidistill.distill.scores import Evaluation, compare
from antidistill.distill.settings import Asking, Training
from antidistill.distill.students import load_student
from antidistill.distill.train import require, train
from antidistill.distill.trainer import check_optimizer
from antidistill.errors import InputError, UsageError
from antidistill.trace import Trace

TEACHER = "teacher"
EXPERIMENT_KEY = b"antidistill distill: no secret, so that results repeat"
"""Conditions that are guarded here take their choices from it unless a key is given: nothing is published."""
_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate")


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is compared, and how.

    Attributes:
        student: smollm2-135m, a hub name or a folder; every condition starts from it anew.
        conditions: what they are trained on; the first is the one that the others are compared with.
        traces: the clean ones.
        questions: what they are asked.
        training: hyperparameters.
        asking: decoding.
        layout: how traces are laid out.
        tokenizer: hub name or folder, where it is not the student's.
        teacher: model that answers are forced from as well, where `asking.force` is on; empty for none.
        key: what guarded conditions take their choices from.
        folder: where checkpoints, outputs and finished conditions are kept; None keeps nothing.
        keep_students: whether the trained students are kept in the folder too.

    Raises:
        UsageError: two conditions have one name, or a teacher is named and nothing is forced.
    """

    student: str
    conditions: Sequence[Condition]
    traces: Sequence[Trace]
    questions: Sequence[Question]
    training: Training = field(default_factory=Training)
    asking: Asking = field(default_factory=Asking)
    layout: Layout = field(default_factory=Layout)
    tokenizer: str = ""
    teacher: str = ""
    key: bytes = EXPERIMENT_KEY
    folder: Path | None = None
    keep_students: bool = False

    def __post_init__(self) -> None:
        names = [condition.name for condition in self.conditions]
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if twice:
            raise UsageError(
                f"the condition {', '.join(twice)} is given more than once: results go by the name, so give each only once."
            )
        if self.teacher and not self.asking.force:
            raise UsageError(
                f"the teacher {self.teacher} would have nothing to do: it answers only where answers are forced; add "
                "--set asking.force=true, or leave the teacher out."
            )


def run(experiment: Experiment, progress: Callable[[str], None] = lambda step: None) -> dict[str, Any]:
    """Trains and asks a student for each condition.

    With a folder, finished conditions are read back, and one that was stopped goes on from its last checkpoint and its last
    batch of outputs. Under `accelerate launch`, training is data-parallel and each process asks its share of the questions.

    Returns:
        What `antidistill distill --json` writes: settings, one entry per condition, and the comparison of each with the first.

    Raises:
        MissingExtra: a package is not installed.
        UsageError: the optimizer needs a package that is not installed.
        InputError: a model or a tokenizer cannot be loaded, or there is nothing to learn from.
    """
    require()
    check_optimizer(experiment.training)
    found = {}
    for condition in experiment.conditions:
        say = _prefixed(progress, condition.name)
        found[condition.name] = _finished(experiment, condition, say)
    return {
        "student": experiment.student,
        "training": asdict(experiment.training),
        "asking": asdict(experiment.asking),
        "layout": asdict(experiment.layout),
        "questions": len(experiment.questions),
        "conditions": found,
        "comparisons": comparisons(found),
    }


def comparisons(
    conditions: Mapping[str, Mapping[str, Any]], against: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Each condition against the first one, or against that of another result: first minus other, so damage is positive."""
    evaluations = {name: Evaluation.from_json(entry["evaluation"]) for name, entry in conditions.items()}
    names = list(evaluations)
    base = Evaluation.from_json(against["evaluation"]) if against else evaluations[names[0]]
    return {name: _differences(base, evaluations[name]) for name in (names if against else names[1:])}


def check_comparable(evaluation: Mapping[str, Any], experiment: Experiment) -> None:
    """Checks that an earlier evaluation can be compared with what the experiment is going to ask.

    Raises:
        InputError: it was asked other questions, or it is no evaluation.
    """
    asked = {outcome.question for outcome in Evaluation.from_json(evaluation).outcomes}
    wanted = {question.id for question in experiment.questions}
    if asked != wanted:
        raise InputError(
            f"the earlier student was asked {len(asked)} questions, this one is asked {len(wanted)}, {len(asked & wanted)} of "
            "them the same: give the same --questions, --number and --seed."
        )


def _differences(first: Evaluation, second: Evaluation) -> dict[str, Any]:
    shared = [name for name in _forced_names(first) if name in _forced_names(second)]
    return {
        "accuracy": compare(first, second).to_json(),
        "finished": compare(first, second, lambda outcome: outcome.finished).to_json(),
        "looping": compare(first, second, lambda outcome: outcome.loops).to_json(),
        **{
            f"accuracy_forced_by_{name}": compare(first, second, lambda outcome, by=name: outcome.forced[by]).to_json()  # type: ignore[misc]
            for name in shared
        },
    }


def _forced_names(evaluation: Evaluation) -> list[str]:
    return list(evaluation.outcomes[0].forced) if evaluation.outcomes else []


def _finished(experiment: Experiment, condition: Condition, progress: Callable[[str], None]) -> dict[str, Any]:
    """The entry of a condition: read back if it is there, else made."""
    material = condition.traces(experiment.traces, experiment.key)
    place = _place(experiment, condition, material)
    result = place / "result.json" if place else None
    if result is not None and result.exists():
        kept: dict[str, Any] = orjson.loads(result.read_bytes())
        return kept
    made = orjson.dumps(_made(experiment, condition, material, place, progress), option=orjson.OPT_INDENT_2)
    entry: dict[str, Any] = orjson.loads(made)  # the same whether it is made or read back: NaN is null
    if result is not None and is_first():
        result.parent.mkdir(parents=True, exist_ok=True)
        draft = result.with_suffix(".writing")
        draft.write_bytes(made)
        draft.replace(result)
    return entry


def _made(
    experiment: Experiment,
    condition: Condition,
    material: Material,
    place: Path | None,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    progress("loading the student")
    model, tokenizer = load_student(experiment.student, experiment.tokenizer, experiment.training)
    trained = None
    if condition.trains:
        checkpoints = place / "checkpoints" if place else None
        trained = train(
            model,
            tokenizer,
            material.traces,
            experiment.training,
            experiment.layout,
            folder=checkpoints,
            progress=progress,
        )
        model = trained.model
    evaluation = _asked(experiment, model, tokenizer, place, progress)
    if experiment.keep_students and place and is_first():
        model.save_pretrained(place / "student")
        tokenizer.save_pretrained(place / "student")
    return {
        "method": condition.method,
        "options": dict(condition.options),
        "spec": material.spec,
        "removed_share": material.removed_share,
        "expected": dict(condition.expected),
        "training": trained.to_json() if trained else None,
        "evaluation": evaluation.to_json(),
    }


def _asked(
    experiment: Experiment, model: Any, tokenizer: Any, place: Path | None, progress: Callable[[str], None]
) -> Evaluation:
    """Each process asks its share; all have all outcomes afterwards."""
    forcers = {}
    if experiment.teacher and experiment.asking.force:
        progress("loading the teacher")
        forcers[TEACHER] = Forcer(*load_student(experiment.teacher), experiment.layout)
    share = my_share(experiment.questions)
    asked = evaluate(
        model,
        tokenizer,
        share,
        experiment.asking,
        experiment.layout,
        forcers=forcers,
        folder=place / f"asked-{my_number()}" if place else None,
        progress=progress,
    )
    return Evaluation(gathered(list(asked.outcomes)))


def _place(experiment: Experiment, condition: Condition, material: Material) -> Path | None:
    """The folder of a condition: its name, and a hash of all that decides its numbers."""
    if experiment.folder is None:
        return None
    texts = [[t.id, t.prompt, t.reasoning, t.answer] for t in material.traces] if condition.trains else []
    content = [
        experiment.student,
        experiment.tokenizer,
        experiment.teacher,
        asdict(experiment.training) if condition.trains else {},
        asdict(experiment.asking),
        asdict(experiment.layout),
        [asdict(question) for question in experiment.questions],
        texts,
        {name: version(name) for name in _PACKAGES},
    ]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
    plain = "".join(letter if letter.isalnum() or letter in "=.-" else "-" for letter in condition.name)
    return experiment.folder / f"{plain}-{digest}"


def _prefixed(progress: Callable[[str], None], name: str) -> Callable[[str], None]:
    return lambda step: progress(f"{name}: {step}")


__all__ = ["EXPERIMENT_KEY", "STUDENT", "TEACHER", "Experiment", "check_comparable", "comparisons", "run"]
