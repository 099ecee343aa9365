"""`antidistill lab`: worlds × methods × students × seeds on small real models."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antidistill.cli.output import write_json
from antidistill.errors import MissingExtra

if TYPE_CHECKING:
    from antidistill.lab.experiment import Experiment


def lab(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the results; a stopped run goes on in it.")],
    worlds: Annotated[
        str | None, typer.Option(help="Worlds, comma-separated; knobs as in 'plan:groups=3;corrections'.")
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            help="Text defenses and samplers, comma-separated; NAME@P guards each trace with probability P only."
        ),
    ] = None,
    students: Annotated[str | None, typer.Option(help="Students, comma-separated.")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Students of each kind per method; 3, or 1 if quick.")
    ] = None,
    share: Annotated[float, typer.Option(help="Share of the characters that text defenses remove.")] = 0.2,
    price: Annotated[float, typer.Option(help="Accuracy of the teacher that samplers may cost.")] = 0.05,
    seed: Annotated[int, typer.Option(min=0, help="Seed of problems and teachers.")] = 0,
    jobs: Annotated[int, typer.Option(min=0, help="Processes of one thread each; 0 = one per core.")] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Minutes instead of hours: shows that it runs, measures little.")
    ] = False,
    uncalibrated: Annotated[
        bool, typer.Option("--uncalibrated", help="Compare methods even in a world that is not fit for it.")
    ] = False,
    json: Annotated[
        str | None, typer.Option("--json", help="Write the results as JSON to this file too; - is stdout.")
    ] = None,
) -> None:
    """Measure damage against visibility for every method, on small models in synthetic reasoning worlds."""
    _require()
    from antidistill.lab.run import run
    from antidistill.lab.table.record import record

    experiment = _experiment(worlds, methods, students, seeds, quick)
    experiment = replace(experiment, share=share, price=price, seed=seed)
    results = run(experiment, output, jobs=jobs, uncalibrated=uncalibrated or quick, say=_say)
    whole = record(results, output)
    if json is not None:
        write_json(json, whole)
    if json != "-":
        typer.echo((output / "results.md").read_text(encoding="utf-8"))


def _experiment(
    worlds: str | None, methods: str | None, students: str | None, seeds: int | None, quick: bool
) -> Experiment:
    from antidistill.lab.experiment import QUICK_RUN, Experiment

    experiment = QUICK_RUN if quick else Experiment()
    mark = ";" if worlds and {":", ";"} & set(worlds) else ","  # knobs of a world hold commas
    given: dict[str, Any] = {
        name: tuple(part.strip() for part in text.split(between))
        for name, text, between in (("worlds", worlds, mark), ("methods", methods, ","), ("students", students, ","))
        if text is not None
    }
    return replace(experiment, **given, seeds=experiment.seeds if seeds is None else seeds)


def _require() -> None:
    from antidistill.measure.models import EXTRA, missing

    lacking = [name for name in missing("", "") if name != "sentence_transformers"]
    if lacking:
        raise MissingExtra("lab", ", ".join(lacking), EXTRA)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201
