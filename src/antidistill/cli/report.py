"""`antidistill report`: what a defense changed and how visible it is, as one HTML file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antidistill.cli.output import json_file, keep_apart, write_json
from antidistill.errors import InputError, OutputError, UnknownName

if TYPE_CHECKING:
    from antidistill.report.pairing import Pair
    from antidistill.report.visibility import Visibility
    from antidistill.trace import Trace


def report(
    clean: Annotated[Path, typer.Argument(help="The originals.")],
    guarded: Annotated[Path, typer.Argument(help="What antidistill guard made of them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The report; a file there is replaced.")] = Path(
        "report.html"
    ),
    detection: Annotated[
        Path | None, typer.Option(help="Result of antidistill detect --json; without it the detectors are run here.")
    ] = None,
    models: Annotated[
        bool | None,
        typer.Option("--models/--no-models", help="As for antidistill detect, where the detectors are run here."),
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="Ledger of the run: recorded edits, reasons and method.")] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            help="Result of another antidistill detect --json as a point of the plot: FILE or NAME=FILE; may be repeated."
        ),
    ] = None,
    frontier: Annotated[
        list[Path] | None,
        typer.Option(
            help="Damage and visibility of methods: results.json or payoffs-*.json of antidistill lab, a payoff file, "
            "results of antidistill distill, or real_text.json and visibility.json of the benchmarks; may be repeated."
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Column whose values are the groups; model where it is there, if not given.")
    ] = None,
    points: Annotated[
        bool, typer.Option(help="Also run the detectors on each group (or bin of removed share) for the plot.")
    ] = True,
    no_originals: Annotated[
        bool, typer.Option("--no-originals", help="Leave out everything that was removed.")
    ] = False,
    max_traces: Annotated[
        int, typer.Option(min=0, help="How many traces the reader of the report holds at most.")
    ] = 200,
    json: Annotated[
        str | None, typer.Option("--json", help="Write the figures of the summary to this file; - is stdout.")
    ] = None,
) -> None:
    """Show what a defense changed and how visible it is, in one HTML file that needs no network."""
    from antidistill.report import Options, read_frontier, read_ledger
    from antidistill.report.material import Material
    from antidistill.report.page import environment, render
    from antidistill.report.pairing import pair_up
    from antidistill.report.sections.reader import reader
    from antidistill.report.sections.summary import figures
    from antidistill.report.slices import measure

    environment()
    points_of = dict(map(_named, also or []))
    _check_results(output, json, [clean, guarded, detection, ledger, *points_of.values(), *(frontier or [])])
    options = Options(not no_originals, max_traces, by or "model", (clean.name, guarded.name))
    pairing = pair_up(_traces(clean), _traces(guarded), options.by)
    if by is not None:
        _require_column(by, pairing.pairs)
    material = Material(
        pairing,
        options,
        recorded=read_ledger(ledger) if ledger else None,
        frontier=read_frontier(frontier) if frontier else None,
    )
    reader(material)  # a ledger of another file is told before the detectors run
    others = {name: _visibility(file) for name, file in points_of.items()}
    with _progress() as progress:
        whole = _visibility(detection) if detection else _measured(pairing.pairs, models, progress)
        parts = measure(pairing.pairs, whole, progress) if points else {}
    _save(output, render(replace(material, visibility=whole, slices=parts, also=others)), options.originals)
    typer.echo(f"report: {output}", err=True)
    if json is not None:
        embedded = {"embedded": min(max_traces, len(pairing.pairs)), "originals": options.originals}
        write_json(json, {**figures(pairing.pairs), **embedded, "report": str(output)})


def _check_results(output: Path, json: str | None, inputs: Sequence[Path | None]) -> None:
    if output.is_dir() or not os.access(output.parent, os.W_OK):
        raise OutputError(f"{output} cannot be written: name a file in a folder you can write to with --output.")
    keep_apart(output, *inputs)
    keep_apart(json_file(json), output, *inputs)


def _traces(path: Path) -> list[Trace]:
    from antidistill.formats import read

    return list(read(path))


def _require_column(by: str, pairs: Sequence[Pair]) -> None:
    columns = dict.fromkeys(name for pair in pairs for name in pair.clean.meta)
    if by not in columns:
        raise UnknownName("column", by, columns)


def _named(also: str) -> tuple[str, Path]:
    """The name and the file of NAME=FILE; a file without a name is named after itself."""
    name, equals, file = also.partition("=")
    return (name, Path(file)) if equals and not Path(also).exists() else (Path(also).stem, Path(also))


def _visibility(path: Path) -> Visibility:
    import orjson

    from antidistill.report.visibility import read

    try:
        return read(orjson.loads(path.read_bytes()))
    except (OSError, orjson.JSONDecodeError, InputError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path} is no detection ({why}); give a file that antidistill detect --json wrote."
        ) from error


def _measured(pairs: Sequence[Pair], models: bool | None, progress: Callable[[str], None]) -> Visibility:
    from antidistill.measure import detect
    from antidistill.report.visibility import read

    clean, guarded = [pair.clean for pair in pairs], [pair.guarded for pair in pairs]
    return read(detect(clean, guarded, models=models, progress=progress).to_json())


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Shows the current step on a terminal's stderr; silent elsewhere."""
    from rich.console import Console

    with Console(stderr=True).status("reading the traces") as status:
        yield status.update


def _save(path: Path, page: str, private: bool) -> None:
    """Writes the whole page or nothing; only the owner may read one that holds originals."""
    draft = path.with_name(f".{path.name}.writing")
    mode = 0o600 if private else 0o666
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(page.encode("utf-8", "xmlcharrefreplace"))
        draft.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}): make room or name another file with --output."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
