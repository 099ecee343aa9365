"""The files that `antidistill bounds` reads: distributions and ledgers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from antidistill.batch.ledger import Ledger
from antidistill.errors import BadOption, InputError, LedgerError
from antidistill.theory.bounds.cuts import Cuts, Span, count, mean
from antidistill.theory.bounds.deletion import check_chain, per_transition

_SHAPES_ONLY = "compares shapes of deletions and certifies nothing: text methods choose their places by content"


def read_distributions(path: Path) -> list[list[float]]:
    """One distribution, or one per token, from a JSON file.

    Raises:
        InputError: the file cannot be read, or holds anything but a list of numbers or a list of such lists.
    """
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); give a JSON file with a list of numbers."
        ) from error
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path} is not JSON ({error}); give a list of numbers, or a list of such lists.") from error
    rows = content if isinstance(content, list) and content and isinstance(content[0], list) else [content]
    if not all(isinstance(row, list) and row and all(_is_number(item) for item in row) for row in rows):
        raise InputError(
            f"{path} holds no distribution; give a list of numbers that add up to 1, or a list of such lists."
        )
    return rows


def compare_ledgers(paths: Sequence[Path], order: int, delta: float, characters: float) -> list[dict[str, Any]]:
    """Means over the traces of each ledger: what was deleted, in how many runs, and what that disturbs.

    Raises:
        LedgerError: a file that is no ledger, or that holds no trace.
        BadOption: a number out of its range.
    """
    check_chain(delta, None)
    if not characters > 0:
        raise BadOption("characters", characters, "above 0")
    rows = []
    for path in paths:
        ledger = Ledger(path)
        traces = list(_traces(ledger, order, characters))
        if not traces:
            raise LedgerError(f"ledger {path} holds no trace; give the ledger of a run that guarded one.")
        about = {"ledger": str(path), "method": _method(ledger)}
        rows += [{**row, **about} for row in _measures(traces, per_transition(delta), order, delta, characters)]
    return rows


def _measures(traces: Sequence[Cuts], nats: float, order: int, delta: float, characters: float) -> list[dict[str, Any]]:
    symbols = f"symbols of {characters:g} characters"
    chain = f"disturbed transitions of a chain with delta {delta:g}; {_SHAPES_ONLY}"
    as_cut, alone = f"the runs as they are, order {order}", f"each symbol alone, order {order}"
    return [
        _row("deleted", [cuts.deleted for cuts in traces], "symbols per trace", symbols),
        _row("blocks", [cuts.blocks for cuts in traces], "runs per trace", "cuts that touch are one run"),
        _row("inserting-edits", [cuts.inserts for cuts in traces], "edits per trace", "not covered by any bound here"),
        _row("disturbed", [cuts.disturbed for cuts in traces], "transitions per trace", as_cut),
        _row("disturbed-if-scattered", [cuts.scattered for cuts in traces], "transitions per trace", alone),
        _row("as-cut", [cuts.disturbed * nats for cuts in traces], "nats per trace", chain),
        _row("scattered", [cuts.scattered * nats for cuts in traces], "nats per trace", chain),
    ]


def _row(name: str, values: Sequence[float], unit: str, assumes: str) -> dict[str, Any]:
    return {"bound": name, "unit": unit, "assumes": assumes, **mean(values)._asdict()}


def _traces(ledger: Ledger, order: int, characters: float) -> Iterator[Cuts]:
    for _, _, lines in ledger.rows():
        for line in lines:
            if not line.fields.get("at"):  # a rejected row, or one that holds no trace
                continue
            try:
                spans = [Span(int(start), int(end), int(inserted)) for start, end, inserted, _ in line.fields["edits"]]
                _, start, end = line.fields["at"][0]
                length = end - start + sum(span.end - span.start - span.inserted for span in spans)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise LedgerError(
                    f"line {line.number} of {ledger.path} holds no edits: the file was changed."
                ) from error
            yield count(spans, length, order, characters)


def _method(ledger: Ledger) -> str:
    """The method and its options, as the header has them."""
    try:
        spec = ledger.header["spec"]
        options = {**spec["options"], "mix": spec["mix"]}
        return " ".join([spec["method"], *(f"{name}={value}" for name, value in options.items() if value is not None)])
    except (KeyError, TypeError) as error:
        raise LedgerError(
            f"the header of {ledger.path} names no method; give the file that guard --ledger wrote."
        ) from error


def _is_number(item: object) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool)
