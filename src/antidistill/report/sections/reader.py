"""The traces that the reader of the page shows, as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from typing import Any

from antidistill.errors import LedgerError
from antidistill.report.material import Material
from antidistill.report.pairing import Pair
from antidistill.report.parts import Part, cut
from antidistill.report.recorded import Recorded
from antidistill.report.spans import Span, from_edits, from_texts


def reader(material: Material) -> Mapping[str, Any] | None:
    """The embedded traces, an index of them for the filters, and counts; None where no trace is to be embedded."""
    chosen = choose(material.pairs, material.options.max_traces)
    if not chosen:
        return None
    keep = material.options.originals
    traces = [_trace(pair, _parts(pair, spans), keep) for pair, spans in _spans(material, chosen)]
    return {
        "traces": traces,
        "index": [_entry(trace) for trace in traces],
        "total": len(material.pairs),
        "originals": keep,
        "from_ledger": material.recorded is not None,
        "by": material.options.by,
    }


def choose(pairs: Sequence[Pair], most: int) -> list[int]:
    """Indices of at most so many pairs: as many of each group as possible, in the order of the file."""
    members: dict[str, list[int]] = {}
    for index, pair in enumerate(pairs):
        members.setdefault(pair.group, []).append(index)
    turns = chain.from_iterable(zip_longest(*members.values()))
    return sorted(islice((index for index in turns if index is not None), most))


def _spans(material: Material, chosen: Sequence[int]) -> Iterator[tuple[Pair, list[Span]]]:
    seen: Counter[str] = Counter()
    wanted = set(chosen)
    for index, pair in enumerate(material.pairs):
        if index in wanted:
            yield pair, _of_pair(pair, material.recorded, seen[pair.clean.id])
        seen[pair.clean.id] += 1


def _of_pair(pair: Pair, recorded: Recorded | None, turn: int) -> list[Span]:
    if recorded is None:
        return from_texts(pair.clean.reasoning, pair.guarded.reasoning)
    edits = recorded.edits.get(pair.clean.id, ())
    if turn < len(edits):
        return from_edits(edits[turn])
    if pair.changed:
        raise LedgerError(
            f"trace {pair.clean.id!r} was changed but is not in the ledger; give the ledger of this file."
        )
    return []


def _parts(pair: Pair, spans: Sequence[Span]) -> list[Part]:
    try:
        return cut(pair.clean.reasoning, pair.guarded.reasoning, spans)
    except LedgerError as error:
        raise LedgerError(f"trace {pair.clean.id!r}: {error}") from error


def _trace(pair: Pair, parts: Sequence[Part], keep: bool) -> dict[str, Any]:
    return {
        "id": pair.guarded.id,
        "group": pair.group,
        "prompt": pair.guarded.prompt,
        "answer": pair.guarded.answer,
        "answerSame": pair.clean.answer == pair.guarded.answer,
        "parts": [_embedded(part, keep) for part in parts],
    }


def _embedded(part: Part, keep: bool) -> str | list[str | int]:
    """What stayed as a string; an edit as [kind, reason, removed text or only its length, new text]."""
    if part.kind == "same":
        return part.after
    return [part.kind, part.reason, part.before if keep else len(part.before), part.after]


def _entry(trace: Mapping[str, Any]) -> dict[str, Any]:
    edits = [part for part in trace["parts"] if not isinstance(part, str)]
    return {"id": trace["id"], "group": trace["group"], "edits": Counter(reason for _, reason, *_ in edits)}
