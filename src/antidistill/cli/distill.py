"""`antidistill distill`: students trained on traces, what they can do afterwards, and what a run would take."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antidistill.cli.guard import parse_settings
from antidistill.cli.output import json_file, keep_apart, write_json
from antidistill.errors import InputError, UsageError

if TYPE_CHECKING:
    from antidistill.distill.experiment import Experiment
    from antidistill.distill.recipes import Recipe, Set


def distill(
    traces: Annotated[Path, typer.Argument(help="What students learn from: a file, a folder of shards or a pattern.")],
    student: Annotated[
        str | None, typer.Option(help="smollm2-135m, a hub name or a folder; that of the recipe if not given.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Name of a recipe (docs/distill.md lists them), or a file .toml.")
    ] = None,
    questions: Annotated[
        str | None, typer.Option(help="What it is asked: a file, or hub:owner/name[/configuration]; @split behind it.")
    ] = None,
    number: Annotated[int | None, typer.Option(min=0, help="How many questions, drawn by the seed; 0 is all.")] = None,
    drop_overlap: Annotated[
        bool,
        typer.Option("--drop-overlap", help="Leave out questions that the traces hold; otherwise they are refused."),
    ] = False,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            help="Train one student on the traces guarded like this (traceguard:k=20), on answer-only, on none, or untrained; "
            "may be repeated, the first is compared with. Without it the traces are taken as they are."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A setting of a recipe: epochs=1, lora.rank=16, asking.force=true."
        ),
    ] = None,
    teacher: Annotated[
        str, typer.Option(help="Clean teacher that is forced to answer behind the student's reasoning, too.")
    ] = "",
    against: Annotated[Path | None, typer.Option(help="Compare with the first student of this earlier result.")] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder of checkpoints and outputs; a run that was stopped goes on from it.")
    ] = None,
    keep_students: Annotated[
        bool, typer.Option("--keep-students", help="Keep the students in the work folder.")
    ] = False,
    key_file: Annotated[
        Path | None, typer.Option(help="Key of the guarded conditions; a public one if not given.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of training, sampling and the draw of questions.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print steps, tokens, memory and time.")] = False,
    device: Annotated[str, typer.Option(help="What --dry-run plans for: here, h100, a100, l40s.")] = "here",
    devices: Annotated[int, typer.Option(min=1, help="How many of them.")] = 1,
    json: Annotated[str | None, typer.Option("--json", help="Write the result to this file; - is stdout.")] = None,
) -> None:
    """Train students on traces and test them: accuracy = finished x accuracy of the finished, with paired tests.

    Several GPUs: accelerate launch antidistill distill …
    """
    keep_apart(json_file(json), traces, against)
    _quiet()
    chosen = _recipe(recipe, student, questions, number, drop_overlap)
    experiment = _experiment(chosen, traces, condition or [], settings or [], teacher, seed, not dry_run)
    experiment = replace(experiment, folder=work, keep_students=keep_students, key=_key(key_file) or experiment.key)
    if dry_run:
        _show_plan(experiment, chosen, device, devices, json)
        return
    _run(experiment, chosen, _earlier(against, experiment), json)


def _quiet() -> None:
    """The libraries' own bars and hints are not for users of this command."""
    import os

    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")
    warnings.filterwarnings("ignore", message=".*gradient_checkpointing.*", category=FutureWarning)
    logging.getLogger("httpx").setLevel(logging.ERROR)


def _recipe(
    name: str | None, student: str | None, questions: str | None, number: int | None, drop_overlap: bool
) -> Recipe:
    """The recipe, or the options as one."""
    from antidistill.distill.conditions import AS_GIVEN, Condition
    from antidistill.distill.recipes import Recipe, Set, read_recipe
    from antidistill.distill.recipes.reading import student_facts

    if name is None and (student is None or questions is None):
        raise UsageError("distill needs --recipe NAME, or both --student NAME and --questions SET.")
    if name is None:
        facts = student_facts(str(student))
        found = Recipe(
            "options",
            "",
            str(student),
            (Condition(AS_GIVEN, AS_GIVEN),),
            Set(str(questions)),
            tokenizer=facts.pop("tokenizer", ""),
            config=facts,
        )
    else:
        found = read_recipe(name)
        if student is not None and student != found.student:
            facts = student_facts(student)
            found = replace(found, student=student, tokenizer=facts.pop("tokenizer", ""), config=facts)
    asked = found.questions
    asked = asked if questions is None else replace(asked, source=questions)
    asked = asked if number is None else replace(asked, number=number)
    return replace(found, questions=replace(asked, drop_overlap=asked.drop_overlap or drop_overlap))


def _experiment(
    recipe: Recipe,
    source: Path,
    conditions: Sequence[str],
    settings: Iterable[str],
    teacher: str,
    seed: int | None,
    fetch: bool,
) -> Experiment:
    from antidistill.distill.conditions import parse_condition
    from antidistill.distill.experiment import Experiment
    from antidistill.distill.settings import changed
    from antidistill.formats import read

    traces = list(read(source))
    if not traces:
        raise InputError(f"{source} holds no trace: give what antidistill guard reads.")
    parts: dict[str, Any] = {"training": recipe.training, "asking": recipe.asking, "layout": recipe.layout}
    seeds = {} if seed is None else {"seed": seed, "asking.seed": seed}
    for name, value in (parse_settings(settings) | seeds).items():
        owner, dot, inner = name.partition(".")
        owner, inner = (owner, inner) if dot and owner in parts else ("training", name)
        parts[owner] = changed(parts[owner], inner, value)
    return Experiment(
        student=recipe.student,
        conditions=[parse_condition(text) for text in conditions] or recipe.conditions,
        traces=traces,
        questions=_questions(recipe.questions, traces, seed or 0, fetch),
        tokenizer=recipe.tokenizer,
        teacher=teacher,
        **parts,
    )


def _questions(asked: Set, traces: Sequence[Any], seed: int, fetch: bool) -> list[Any]:
    """The questions, apart from the traces; a dry run does not fetch a set whose size is known."""
    from antidistill.distill.overlap import check_apart, without_overlap
    from antidistill.distill.questions import HUB, Question, read_questions

    if not fetch and asked.source.startswith(HUB) and asked.number:
        return [Question(str(row), "", "") for row in range(asked.number)]
    found = read_questions(asked.source, asked.number, seed)
    if asked.drop_overlap:
        return without_overlap(traces, found)
    check_apart(traces, found)
    return found


def _key(path: Path | None) -> bytes | None:
    from antidistill.keys.files import read_key

    return None if path is None else read_key(path).secret


def _show_plan(experiment: Experiment, recipe: Recipe, device: str, devices: int, json: str | None) -> None:
    from antidistill.cli.distill_tables import print_plan
    from antidistill.distill.plan import Counter, device_named, make_plan
    from antidistill.distill.students import load_config, load_tokenizer_here
    from antidistill.distill.train import require
    from antidistill.measure.models import SMALL_LANGUAGE_MODEL

    require("planning")
    found = load_tokenizer_here(experiment.tokenizer, experiment.student, SMALL_LANGUAGE_MODEL)
    counter = found and Counter(found[0], lambda text: len(found[1](text, verbose=False).input_ids))
    plan = make_plan(
        experiment.student,
        load_config(experiment.student, recipe.config),
        [(one, one.traces(experiment.traces, experiment.key)) for one in experiment.conditions],
        len(experiment.questions),
        experiment.training,
        experiment.asking,
        experiment.layout,
        counter,
        device_named(device),
        devices,
    )
    if json is not None:
        write_json(json, plan.to_json())
    if json != "-":
        print_plan(plan)


def _run(experiment: Experiment, recipe: Recipe, earlier: Mapping[str, Any] | None, json: str | None) -> None:
    from rich.console import Console

    from antidistill.cli.distill_tables import print_result
    from antidistill.distill.experiment import comparisons, run
    from antidistill.distill.processes import is_first

    with Console(stderr=True).status("reading the traces") as status:
        result = run(experiment, status.update)
    if earlier is not None:
        result["comparisons"] = comparisons(result["conditions"], earlier)
    result["recipe"], result["measure"] = recipe.name, recipe.measure
    result["inferred"] = dict(recipe.inferred)
    if not is_first():
        return
    if json is not None:
        write_json(json, result)
    if json != "-":
        print_result(result)


def _earlier(path: Path | None, experiment: Experiment) -> Mapping[str, Any] | None:
    """The first condition of an earlier result; looked at before hours of training, not after them."""
    import orjson

    from antidistill.distill.experiment import check_comparable

    if path is None:
        return None
    try:
        conditions = orjson.loads(path.read_bytes())["conditions"]
        found: Mapping[str, Any] = next(iter(conditions.values()))
        evaluation = found["evaluation"]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise InputError(f"{path} is no result of antidistill distill ({error}): give what --json wrote.") from error
    check_comparable(evaluation, experiment)
    return found
