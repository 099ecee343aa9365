"""`antidistill guard`: a file of traces becomes a guarded file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer

from antidistill.errors import UnknownName, UsageError

Choice = TypeVar("Choice", bound=StrEnum)
_NUMBER = re.compile(r"[+-]?(\d+\.?|\d*\.\d+)", re.ASCII)


def guard(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="File, folder of shards or pattern: JSON lines or Parquet.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File of the same kind, or a folder for several files.")],
    method: Annotated[str, typer.Option(help="What is done to the reasoning; see antidistill methods.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Option of the method; may be repeated.")
    ] = None,
    mix: Annotated[float | None, typer.Option(help="Guard each trace with this probability only.")] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            help="Secret key of at least 16 bytes; without it the key beside the ledger or OUT, made if missing."
        ),
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="Write the private record of all edits to this file.")] = None,
    ledger_text: Annotated[
        str, typer.Option(metavar="sealed|hash|plain", help="What the ledger holds of removed text.")
    ] = "sealed",
    leaks: Annotated[
        str,
        typer.Option(
            metavar="guard|drop|refuse|keep",
            help="Values beside the reasoning that betray the edit. guard: copies are guarded too, rows with others are "
            "rejected; drop: others are removed; keep: others stay; refuse: rows with copies are rejected as well.",
        ),
    ] = "guard",
    engine: Annotated[str, typer.Option(metavar="local|ray", help="Where to run.")] = "local",
    jobs: Annotated[int, typer.Option(help="Worker processes of the local engine.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: Annotated[str | None, typer.Option("--json", help="Write the summary to this file; - is stdout.")] = None,
) -> None:
    """Guard traces: same rows, same order, same answers byte for byte, edited reasoning.

    Rows that cannot be guarded go to OUT.rejected.jsonl with the reason; the exit code is then 1.
    """
    from antidistill.batch.job import Engine, Job, guard_files
    from antidistill.batch.ledger import LedgerText
    from antidistill.cli.output import json_file
    from antidistill.cli.progress import Progress
    from antidistill.formats.leaks import Leaks

    job = Job(
        source=source,
        out=out,
        method=method,
        options=parse_settings(settings or []),
        mix=mix,
        key_file=key_file,
        ledger=ledger,
        ledger_text=_choice("--ledger-text", ledger_text, LedgerText),
        leaks=_choice("--leaks", leaks, Leaks),
        engine=_choice("--engine", engine, Engine),
        jobs=jobs,
        resume=resume,
        force=force,
        summary=json_file(json),
    )
    with Progress(json) as progress:
        summary = guard_files(job, progress)
    if summary.tally.rejected:
        raise typer.Exit(1)


def parse_settings(settings: Iterable[str]) -> dict[str, Any]:
    """Options of a method from NAME=VALUE; a value is JSON where it can be, else text.

    Raises:
        UsageError: not NAME=VALUE, or a name that is given twice.
    """
    options: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {setting} is not NAME=VALUE: write for instance --set k=20.")
        if name in options:
            raise UsageError(f"--set {name} is given twice: give one value.")
        options[name] = _value(value)
    return options


def _value(text: str) -> Any:
    """JSON where it can be, and numbers as people write them (".1", "+5", "3.")."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if not _NUMBER.fullmatch(text):
            return text
    return float(text) if "." in text else int(text)


def _choice(option: str, given: str, choices: type[Choice]) -> Choice:
    try:
        return choices(given)
    except ValueError:
        raise UnknownName(f"value of {option}", given, [str(choice) for choice in choices]) from None
