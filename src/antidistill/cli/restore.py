"""`antidistill restore`: the exact originals of a guarded file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antidistill.cli.output import json_file, write_json


def restore(
    guarded: Annotated[
        Path, typer.Argument(metavar="GUARDED", help="What antidistill guard wrote: file, folder or pattern.")
    ],
    ledger: Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger of that run.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File for the originals, or a folder for several files.")],
    key_file: Annotated[
        Path | None, typer.Option(help="Key that the ledger was sealed with; without it the key beside the ledger.")
    ] = None,
    rejected: Annotated[
        Path | None, typer.Option(help="File of rejected rows of that run; they return to their places.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: Annotated[str | None, typer.Option("--json", help="Write the counts to this file; - is stdout.")] = None,
) -> None:
    """Give back the originals: JSON lines byte for byte, Parquet as an equal table.

    The exit code is 1 if rows that guard rejected are missing.
    """
    from antidistill.batch.restore import restore_files

    restored = restore_files(
        guarded, ledger, out, key_file=key_file, rejected=rejected, force=force, summary=json_file(json)
    )
    if json is not None:
        write_json(json, restored._asdict())
    typer.echo(f"{restored.rows:,} rows restored.", err=True)
    if restored.missing:
        typer.echo(
            f"{restored.missing:,} rows of the original are missing, for guard rejected them: give --rejected FILE.",
            err=True,
        )
        raise typer.Exit(1)
