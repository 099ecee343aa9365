"""`antidistill game`: which defense, or mixture of defenses, to commit to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antidistill.cli.output import json_file, keep_apart, write_json
from antidistill.errors import BadOption

if TYPE_CHECKING:
    from antidistill.theory.game import Limit, Payoffs
    from antidistill.theory.game.payoffs import Array


def game(
    payoffs: Annotated[Path, typer.Argument(help="JSON file of measured payoffs; format: docs/game.md.")],
    max_visibility: Annotated[float | None, typer.Option(help="Visibility is at most this.")] = None,
    min_utility: Annotated[float | None, typer.Option(help="Utility is at least this.")] = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="Limit on any metric of the file, such as 'kl<=2'; may be repeated.")
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(
            help="uniform, none, or student=probability,...; without it the prior in the file, if there is one."
        ),
    ] = None,
    pure: Annotated[bool, typer.Option("--pure", help="Commit to a single defense, not to a mixture.")] = False,
    cautious: Annotated[
        bool, typer.Option("--cautious", help="Limits count the bad end of a metric's interval.")
    ] = False,
    samples: Annotated[int, typer.Option(min=100, help="Resampled games behind the interval.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resampling.")] = 0,
    json: Annotated[
        str | None, typer.Option("--json", help="Write the answer as JSON to this file; - is stdout.")
    ] = None,
) -> None:
    """Solve the game of damage against visibility: the commitment, its guarantee, what binds, the price of each limit."""
    from antidistill.theory.game import read, solve

    keep_apart(json_file(json), payoffs)
    measured = read(payoffs)
    solution = solve(
        measured,
        _limits(max_visibility, min_utility, limit or []),
        prior=_prior(prior, measured),
        only_pure=pure,
        cautious=cautious,
        samples=samples,
        seed=seed,
    )
    if json is not None:
        write_json(json, solution.to_json())
    if json != "-":
        from antidistill.theory.game.words import sentences

        _print(sentences(solution))


def _limits(max_visibility: float | None, min_utility: float | None, others: Sequence[str]) -> list[Limit]:
    from antidistill.theory.game import Limit
    from antidistill.theory.game.limits import parse_limit

    limits = [] if max_visibility is None else [Limit("visibility", max_visibility)]
    limits += [] if min_utility is None else [Limit("utility", min_utility, at_least=True)]
    return limits + [parse_limit(text) for text in others]


def _prior(given: str | None, payoffs: Payoffs) -> Array | None:
    from antidistill.theory.game.reading import parse_prior

    if given is None:
        return payoffs.prior
    if given == "none":
        return None
    if given == "uniform":
        return parse_prior(dict.fromkeys(payoffs.columns, 1 / len(payoffs.columns)), payoffs.columns)
    try:
        parts = [part.rsplit("=", 1) for part in given.split(",")]
        probabilities = {name.strip(): float(probability) for name, probability in parts}
    except ValueError:
        raise BadOption(
            "prior", given, "uniform, none, or student=probability,... (as in llama=0.7,gemma=0.3)"
        ) from None
    return parse_prior(probabilities, payoffs.columns)


def _print(sentences: Sequence[str]) -> None:
    from antidistill.cli.console import ResultConsole

    console = ResultConsole(markup=False, highlight=False)
    for sentence in sentences:
        console.print(sentence)
