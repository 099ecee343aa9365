"""`antidistill detect`: how visible the edits are, with the originals and without them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antidistill.cli.output import json_file, keep_apart, write_json
from antidistill.errors import UsageError

if TYPE_CHECKING:
    from antidistill.measure import Detection, Judge
    from antidistill.measure.options import Progress
    from antidistill.trace import Estimate


def detect(
    clean: Annotated[Path, typer.Argument(help="The originals.")],
    guarded: Annotated[Path, typer.Argument(help="What antidistill guard made of them.")],
    json: Annotated[str | None, typer.Option("--json", help="Write the result to this file; - is stdout.")] = None,
    models: Annotated[
        bool | None,
        typer.Option(
            "--models/--no-models", help="Insist on the models, or leave them out; used where installed if not given."
        ),
    ] = None,
    model_pairs: Annotated[
        int, typer.Option(min=0, help="Most pairs that the models and the judge read, drawn by prompt; 0 is all.")
    ] = 50,
    language_model: Annotated[
        str, typer.Option(help="Model for perplexity: smollm2-135m, a hub name or a folder.")
    ] = "smollm2-135m",
    encoder: Annotated[
        str, typer.Option(help="Model for semantic distance: all-minilm-l6-v2, a hub name or a folder.")
    ] = "all-minilm-l6-v2",
    judge: Annotated[
        str | None,
        typer.Option(
            help="URL of an OpenAI-compatible API that rates coherence; its key is read from ANTIDISTILL_JUDGE_KEY."
        ),
    ] = None,
    judge_model: Annotated[str | None, typer.Option(help="Name of the judge's model.")] = None,
    detector: Annotated[
        list[str] | None, typer.Option(help="Run only this unpaired detector; may be repeated.")
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=1, help="Cross-fittings of each detector, each on other halves of the prompts.")
    ] = 3,
    folds: Annotated[int, typer.Option(min=2, help="Folds of each cross-fitting.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of splits, samples and bootstrap.")] = 0,
) -> None:
    """Measure how visible the edits are: paired metrics, and detectors that do not have the originals."""
    from antidistill.formats import read
    from antidistill.measure import Options
    from antidistill.measure import detect as measure

    keep_apart(json_file(json), clean, guarded)
    options = Options(
        models, language_model, encoder, model_pairs, _judge(judge, judge_model), detector, repeats, folds, seed
    )
    with _progress() as progress:
        result = measure(list(read(clean)), list(read(guarded)), options, progress)
    if json is not None:
        write_json(json, result.to_json())
    if json != "-":
        _print(result)


def _judge(url: str | None, model: str | None) -> Judge | None:
    from antidistill.measure import Judge

    if url is None and model is None:
        return None
    if url is None or model is None:
        given = "--judge" if model is None else "--judge-model"
        raise UsageError(f"{given} was given alone: the judge needs both --judge URL and --judge-model NAME.")
    return Judge(url, model)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Shows the current step on a terminal's stderr; silent elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("reading the traces") as status:
        yield status.update


def _print(result: Detection) -> None:
    from antidistill.cli.console import ResultConsole

    console = ResultConsole()
    console.print(_paired_table(result))
    console.print()
    console.print(_unpaired_table(result))
    console.print()
    for line in _notes(result):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _paired_table(result: Detection) -> Any:
    from rich.table import Table

    table = Table("paired metric", "value", "95 % interval", "n", "unit", box=None, pad_edge=False)
    for name, metric in result.paired.items():
        if metric is not None:
            estimate = metric.estimate
            table.add_row(name, _number(estimate.value), _interval(estimate), str(estimate.n), estimate.unit)
    return table


def _unpaired_table(result: Detection) -> Any:
    from rich.table import Table

    table = Table(
        "detector", "AUROC", "95 % interval", "TPR at 1 % FPR", "95 % interval", "n", box=None, pad_edge=False
    )
    for name, entry in (result.unpaired.visible if result.unpaired else {}).items():
        numbers = (_number(entry.auroc.value), _interval(entry.auroc), _number(entry.tpr.value), _interval(entry.tpr))
        table.add_row(name, *numbers, str(entry.auroc.n))
    return table


def _notes(result: Detection) -> Iterator[str]:
    yield f"{result.n} pairs" + (f", {result.left_out} traces without a partner" if result.left_out else "")
    if result.unpaired is not None:
        traces = result.unpaired.traces
        yield f"strongest detector: {result.unpaired.best}"
        yield f"traces of one kind that give a guarded pile away: {_number(traces.value)} ({_interval(traces)})"
    for reason in dict.fromkeys(result.missing.values()):
        names = ", ".join(name for name, why in result.missing.items() if why == reason)
        yield f"not measured: {names} ({reason})"


def _interval(estimate: Estimate) -> str:
    return f"{_number(estimate.low)} to {_number(estimate.high)}"


def _number(value: float) -> str:
    if value == float("inf"):
        return "no number"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 10 else f"{value:.3f}"
