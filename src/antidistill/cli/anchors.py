"""`antidistill anchors`: which sentences matter, and what each of them does."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antidistill.cli.output import json_file, keep_apart, write_json
from antidistill.errors import MissingOption, OutputError, UsageError

if TYPE_CHECKING:
    from antidistill.anchors.functions import Tagger
    from antidistill.anchors.scores import Scorer
    from antidistill.anchors.table import Case, Scored

_NEEDS_NO_MODEL, _WITH_MODEL = "text", "text,receiver-heads"
_SECONDS_BETWEEN_LINES = 10.0


def anchors(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="File, folder of shards or pattern: JSON lines or Parquet.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The scores, one JSON line per trace; ends in .jsonl.")],
    scorers: Annotated[
        str | None,
        typer.Option(
            help="Names between commas: text, receiver-heads, suppression, resampling, position, length, markers; text without a "
            "model, text and receiver-heads with one, if not given."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model that scores: smollm2-135m, a hub name or a folder; text needs none.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SCORER.NAME=VALUE", help="Option of a scorer or tagger; may be repeated."),
    ] = None,
    functions: Annotated[
        str, typer.Option(metavar="trained|states|regex|endpoint|none", help="What tells the function of a sentence.")
    ] = "trained",
    html: Annotated[Path | None, typer.Option(help="Also a page with heat map, chart and matrix.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what resampling would cost, then end; nothing is asked or written.")
    ] = False,
    max_traces: Annotated[int, typer.Option(min=1, help="How many traces the page holds at most.")] = 20,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: Annotated[str | None, typer.Option("--json", help="Write the summary to this file; - is stdout.")] = None,
) -> None:
    """Score the sentences of traces: span, function, scores and ranks of each.

    A row that cannot be scored keeps its place and gets the reason; the exit code is then 1. What resampling costs for all rows
    is said before anything is asked.
    """
    from antidistill.anchors.table import read_cases, score_cases

    _check_results(source, out, html, json, force)
    if html is not None:
        from antidistill.report.page import environment

        environment()
    wanted = _names(scorers, model)
    options = _options([*wanted, functions], settings or [])
    tagger = None if functions == "none" else _tagger(functions, options.get(functions, {}))
    with _progress() as progress:
        made = {name: _made(name, model, options.get(name, {}), progress) for name in wanted}
        cases = _told_costs(_at_least_one(read_cases(source), source), made, always=dry_run)
        if dry_run:
            return
        rows = score_cases(cases, made, tagger, progress)
        summary, kept = _write(out, rows, model, max_traces if html is not None else 0)
        if html is not None:
            _write_page(html, kept, made, source.name, summary["rows"], progress)
    if json is not None:
        write_json(json, {**summary, "scorers": wanted})
    typer.echo(_told(summary), err=True)
    if summary["with_reasons"]:
        raise typer.Exit(1)


def _check_results(source: Path, out: Path, html: Path | None, json: str | None, force: bool) -> None:
    if not out.name.lower().endswith(".jsonl"):
        raise UsageError(f"{out} must end in .jsonl: the scores are JSON lines.")
    results = [path for path in (out, html, json_file(json)) if path is not None]
    if len({path.resolve() for path in results}) < len(results):
        raise UsageError("OUT, --html and --json name the same file: give each its own.")
    for path in results:
        keep_apart(path, source)
        if source.is_dir() and path.resolve().is_relative_to(source.resolve()):
            raise UsageError(f"{path} is in the input folder, where it would be read next time: name another place.")
    for path in results[: 1 + (html is not None)]:
        if path.is_dir() or (path.exists() and not force):
            raise OutputError(f"{path} is there already: give another name, or --force to replace a file.")


def _names(scorers: str | None, model: str | None) -> list[str]:
    """The scorers, each once, in the given order."""
    given = scorers if scorers is not None else _WITH_MODEL if model is not None else _NEEDS_NO_MODEL
    names = list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    if not names:
        raise UsageError("--scorers names none: give at least one, for instance --scorers text.")
    return names


def _options(names: Sequence[str], settings: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Options by scorer, out of SCORER.NAME=VALUE; NAME.PART=VALUE is one entry of an option that holds several."""
    from antidistill.cli.guard import parse_settings

    found: dict[str, dict[str, Any]] = {}
    for given, value in parse_settings(settings).items():
        scorer, dot, option = given.partition(".")
        if not dot or scorer not in names:
            raise UsageError(
                f"--set {given} is not SCORER.NAME=VALUE of one of {', '.join(names)}: write for instance "
                f"--set {names[0]}.NAME=VALUE."
            )
        *outer, last = option.split(".")
        options = found.setdefault(scorer, {})
        for part in outer:
            options = options.setdefault(part, {})
            if not isinstance(options, dict):
                raise UsageError(f"--set {given}: {scorer}.{part} has a value already; give one of the two.")
        options[last] = value
    return found


def _made(name: str, model: str | None, options: Mapping[str, Any], progress: Callable[[str], None]) -> Scorer:
    """The scorer; one that reads a model gets the named one."""
    from antidistill import registry
    from antidistill.anchors.scores import make

    known = {field.name for field in dataclasses.fields(registry.load("scorers", name)) if field.init}
    shared: dict[str, Any] = {"model": model, "progress": progress}
    fitting = {option: value for option, value in shared.items() if option in known and value is not None}
    return make(name, **{**fitting, **(_with_heads(options) if name == "receiver-heads" else options)})


def _with_heads(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """How heads are chosen is an option that holds several; each may be given by its own name."""
    from antidistill.anchors.receiver_heads.options import Options

    given = options.get("options", {})
    single = {option: value for option, value in options.items() if option in Options.__dataclass_fields__}
    if not single or not isinstance(given, Mapping):
        return options
    return {**{option: options[option] for option in options if option not in single}, "options": {**given, **single}}


def _tagger(name: str, options: Mapping[str, Any]) -> Tagger:
    from antidistill.anchors.functions import make

    try:
        return make(name, **options)
    except MissingOption as error:
        wanted = " ".join(f"--set {name}.{option}=…" for option in error.options)
        raise UsageError(f"--functions {name} needs {' and '.join(error.options)}: give {wanted}.") from error


def _at_least_one(cases: Iterator[Case], source: Path) -> Iterator[Case]:
    first = next(cases, None)
    if first is None:
        raise UsageError(f"{source} holds no row: give a file with at least one.")
    return chain([first], cases)


def _told_costs(cases: Iterator[Case], scorers: Mapping[str, Scorer], *, always: bool) -> Iterable[Case]:
    """The same cases, after telling on stderr what each scorer that asks a model again and again takes for all of them."""
    from antidistill.anchors.scores import Costly
    from antidistill.anchors.table import costs

    if not any(isinstance(scorer, Costly) for scorer in scorers.values()):
        if always:
            typer.echo(f"{', '.join(scorers)}: each trace is read once, nothing is asked again and again.", err=True)
        return cases
    kept = list(cases)
    for name, cost in costs(kept, scorers).items():
        typer.echo(f"{name}, all rows: {cost}.", err=True)
    return kept


def _write(out: Path, rows: Iterable[Scored], model: str | None, kept: int) -> tuple[dict[str, Any], list[Scored]]:
    """Writes all rows or none; returns counts and the first rows that have sentences."""
    import orjson

    draft = out.with_name(f".{out.name}.writing")
    plain = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    counts = {"rows": 0, "sentences": 0, "with_reasons": 0}
    first: list[Scored] = []
    try:
        with draft.open("wb") as file:
            for row in rows:
                file.write(orjson.dumps(row.to_json(model), option=plain))
                counts["rows"] += 1
                counts["sentences"] += len(row.sentences)
                counts["with_reasons"] += bool(row.reasons)
                if len(first) < kept and row.sentences:
                    first.append(row)
        draft.replace(out)
    except OSError as error:
        raise OutputError(f"{out} cannot be written ({error.strerror}): make room or name another file.") from error
    finally:
        draft.unlink(missing_ok=True)
    return {**counts, "out": str(out)}, first


def _write_page(
    path: Path,
    rows: Sequence[Scored],
    scorers: Mapping[str, Scorer],
    source: str,
    total: int,
    progress: Callable[[str], None],
) -> None:
    from antidistill.anchors.pictures import with_matrix
    from antidistill.report.anchors import render

    shown = [with_matrix(row, scorers, progress) for row in rows]
    try:
        path.write_text(render(shown, source, total), encoding="utf-8", errors="xmlcharrefreplace")
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}): name another file with --html.") from error


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Shows the current step on stderr: in place in a terminal, as a line now and then elsewhere."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if console.is_terminal:
        with console.status("reading the traces") as status:
            yield status.update
        return
    next_line = 0.0

    def say(step: str) -> None:
        nonlocal next_line
        if time.monotonic() >= next_line:
            console.print(step, markup=False)
            next_line = time.monotonic() + _SECONDS_BETWEEN_LINES

    yield say


def _told(summary: Mapping[str, Any]) -> str:
    told = f"{summary['rows']:,} rows, {summary['sentences']:,} sentences in {summary['out']}."
    if summary["with_reasons"]:
        told += f' {summary["with_reasons"]:,} rows have a reason for what is missing: see "reasons" there.'
    return told
