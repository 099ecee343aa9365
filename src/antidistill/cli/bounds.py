"""`antidistill bounds`: how visible a change can be at most, from proofs instead of detectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antidistill.cli.output import json_file, keep_apart, write_json

if TYPE_CHECKING:
    from antidistill.cli.console import ResultConsole

bounds = typer.Typer(help="Bound how visible a change can be at most, whatever the detector.", rich_markup_mode=None)

Json = Annotated[str | None, typer.Option("--json", help="Write the bounds as JSON to this file; - is stdout.")]
Traces = Annotated[int, typer.Option(min=1, help="Independent traces that the detector sees together.")]


@bounds.command()
def gaussian(
    sigma: Annotated[float, typer.Option(help="Standard deviation of the noise on the logits.")],
    tokens: Annotated[int, typer.Option(min=1, help="Tokens with noise per trace.")],
    vocabulary: Annotated[int | None, typer.Option(min=2, help="Size of the vocabulary.")] = None,
    probabilities: Annotated[
        Path | None,
        typer.Option(help="JSON file: the clean next-token distribution, or a list of them, one per noisy token."),
    ] = None,
    traces: Traces = 1,
    json: Json = None,
) -> None:
    """Bound Gaussian noise on the logits.

    Proposition 3.1 and corollary 3.2 of arXiv 2604.23238. The constant that they print is unknown; the bounds are our own.
    """
    from antidistill.cli.bounds_files import read_distributions
    from antidistill.theory.bounds.gaussian import bounds as calculate

    keep_apart(json_file(json), probabilities)
    given = None if probabilities is None else read_distributions(probabilities)
    found = calculate(sigma, tokens, vocabulary=vocabulary, probabilities=given, traces=traces)
    _show([bound.to_json() for bound in found], json, _list)


@bounds.command()
def deletion(
    deleted: Annotated[int, typer.Option(min=1, help="Symbols deleted per trace.")],
    order: Annotated[int, typer.Option(min=1, help="Order of the Markov chain: symbols that the next one depends on.")],
    delta: Annotated[float, typer.Option(help="Smallest transition probability: above 0, at most 1/vocabulary.")],
    blocks: Annotated[int | None, typer.Option(min=1, help="Runs that the deleted symbols form.")] = None,
    vocabulary: Annotated[
        int | None, typer.Option(min=2, help="Size of the alphabet; unknown: for every alphabet.")
    ] = None,
    length: Annotated[int | None, typer.Option(min=1, help="Symbols that are left.")] = None,
    traces: Traces = 1,
    json: Json = None,
) -> None:
    """Bound deletions from a Markov chain.

    Proposition 4.1 and I.1 of arXiv 2604.23238, tighter, and for blocks. The places must not depend on the content.
    """
    from antidistill.theory.bounds.deletion import bounds as calculate

    found = calculate(deleted, order, delta, blocks=blocks, vocabulary=vocabulary, length=length, traces=traces)
    _show([bound.to_json() for bound in found], json, _list)


@bounds.command()
def mixing(
    mix: Annotated[float, typer.Option(help="Probability that a trace is guarded, above 0 and at most 1.")],
    total_variation: Annotated[
        float | None, typer.Option(help="Total variation between clean and guarded traces, if known.")
    ] = None,
    auroc: Annotated[
        float | None, typer.Option(help="AUROC of a detector, clean against guarded: how large a pile it needs.")
    ] = None,
    traces: Traces = 1,
    json: Json = None,
) -> None:
    """Bound what guard --mix gives away.

    Single traces, and piles of traces of one source. The draw must be secret.
    """
    from antidistill.theory.bounds.mixing import bounds as calculate

    found = calculate(mix, traces=traces, variation=total_variation, auroc=auroc)
    _show([bound.to_json() for bound in found], json, _list)


@bounds.command()
def ledger(
    ledgers: Annotated[list[Path], typer.Argument(metavar="LEDGER...", help="Ledgers that guard wrote.")],
    order: Annotated[int, typer.Option(min=1, help="Order of the Markov chain, in symbols.")] = 50,
    delta: Annotated[float, typer.Option(help="Smallest transition probability, above 0 and at most 0.5.")] = 0.001,
    characters: Annotated[float, typer.Option(help="Characters per symbol; 4 is about one token of English.")] = 4.0,
    json: Json = None,
) -> None:
    """Compare the cuts of real ledgers.

    Transitions that the cuts disturb as they are, and that the same text would disturb if it were scattered.
    """
    from antidistill.cli.bounds_files import compare_ledgers

    keep_apart(json_file(json), *ledgers)
    _show(compare_ledgers(ledgers, order, delta, characters), json, _compare)


def _show(rows: Sequence[dict[str, Any]], json: str | None, draw: Callable[[Sequence[dict[str, Any]]], None]) -> None:
    if json is not None:
        write_json(json, rows)
    if json != "-":
        draw(rows)


def _list(rows: Sequence[dict[str, Any]]) -> None:
    """One line per bound."""
    from rich.table import Table

    table = Table("bound", "value", "unit", "assumes", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row["bound"], _number(row["value"]), row["unit"], row["assumes"])
    _console().print(table)


def _compare(rows: Sequence[dict[str, Any]]) -> None:
    """One column per ledger, and below what the rows assume."""
    from rich.table import Table

    ledgers = {row["ledger"]: row["method"] for row in rows}
    table = Table("per trace, mean and 95 % interval", *ledgers.values(), box=None, pad_edge=False)
    for name in dict.fromkeys(row["bound"] for row in rows):
        cells = [row for row in rows if row["bound"] == name]
        table.add_row(f"{name} ({cells[0]['unit'].removesuffix(' per trace')})", *map(_estimate, cells))
    console = _console()
    console.print(table)
    for assumes in dict.fromkeys(row["assumes"] for row in rows):
        console.print(f"{', '.join(dict.fromkeys(r['bound'] for r in rows if r['assumes'] == assumes))}: {assumes}.")


def _estimate(row: dict[str, Any]) -> str:
    value = _number(row["value"])
    return value if row["low"] is None else f"{value} [{_number(row['low'])}, {_number(row['high'])}]"


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _console() -> ResultConsole:
    from antidistill.cli.console import ResultConsole

    return ResultConsole(markup=False, highlight=False)
