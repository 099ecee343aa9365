"""`antidistill audit`: checks of the audit log of the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antidistill.cli.output import json_file, keep_apart, write_json

audit = typer.Typer(no_args_is_help=True, help="Check the audit log of the server.", rich_markup_mode=None)


@audit.callback()
def _commands() -> None:
    """Check the audit log of the server."""


@audit.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The log that audit.file names in the policy file.")],
    key_file: Annotated[
        Path | None, typer.Option(help="The server's key; without it seals are not checked, only the chain of hashes.")
    ] = None,
    head: Annotated[
        str, typer.Option(metavar="HASH", help="Hash of a row that was noted before; it has to be there.")
    ] = "",
    json: Annotated[str | None, typer.Option("--json", help="Write the result to this file; - is stdout.")] = None,
) -> None:
    """Find every row that was changed, is missing or stands in another place.

    The exit code is 1 if there is one.
    """
    from antidistill.keys import read_key
    from antidistill.serve.audit import verify as check

    keep_apart(json_file(json), file, key_file)
    secret = read_key(key_file, "leave --key-file out and seals are not checked").secret if key_file else None
    verdict = check(file, secret, head)
    if json is not None:
        problems = [problem._asdict() for problem in verdict.problems]
        write_json(
            json,
            {
                "rows": verdict.rows,
                "head": verdict.head,
                "sealed": verdict.sealed,
                "end_known": verdict.end_known,
                "problems": problems,
            },
        )
    for problem in verdict.problems:
        typer.echo(f"{file}:{problem.line}: {problem.kind}: {problem.told}", err=True)
    typer.echo(_summary(verdict.rows, len(verdict.problems), verdict.sealed, verdict.end_known), err=True)
    if verdict.problems:
        raise typer.Exit(1)


def _summary(rows: int, problems: int, sealed: bool, end_known: bool) -> str:
    wrong = f"{problems:,} problem{'s' * (problems > 1)}." if problems else "all as they were written."
    told = f"{rows:,} rows, {wrong}"
    if not sealed:
        told += " Seals were not checked: give --key-file."
    if not end_known:
        told += " The end was not checked: there is no head file beside the log, and --head was not given."
    return told
