"""Scores and functions of the sentences of whole files: one row per trace, and one with a reason for what holds none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from antidistill.anchors.functions.base import Tagger
from antidistill.anchors.scores import Costly, Scorer, Scores, score_all
from antidistill.errors import RowError
from antidistill.formats.files import every_row, sources
from antidistill.formats.locate import locate
from antidistill.text import Sentence, split
from antidistill.trace import Trace

_BATCH = 256
_RECEIVERS = ("reliability", "overlap", "above_null", "heads", "sharpness", "null", "eligible", "traces")


@dataclass(frozen=True, slots=True)
class Case:
    """One trace of a file, or a row that holds none.

    Attributes:
        trace: the trace; one without reasoning where the row holds none.
        reason: why there is no trace; empty where there is one.
    """

    trace: Trace
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """A case with its sentences, what each of them does, and its scores.

    Attributes:
        case: what was read.
        sentences: the sentences of the reasoning.
        functions: one per sentence; None where the tagger could not tell.
        scores: by name of the scorer.
        tagging: why there are no functions; empty where there are.
    """

    case: Case
    sentences: Sequence[Sentence]
    functions: Sequence[str | None]
    scores: Mapping[str, Scores]
    tagging: str = ""

    @property
    def reasons(self) -> dict[str, str]:
        """What is wrong, by scorer; "row" for the row itself, "functions" for the tagger."""
        found = {name: scores.reason for name, scores in self.scores.items()}
        found |= {"row": self.case.reason, "functions": self.tagging}
        return {name: reason for name, reason in found.items() if reason}

    def to_json(self, model: str | None) -> dict[str, Any]:
        """The row of the output; offsets are characters of the reasoning, ranks begin at 1 = highest score."""
        ranks = {name: scores.ranks for name, scores in self.scores.items()}
        row: dict[str, Any] = {
            "id": self.case.trace.id,
            "model": model
            or next(filter(None, (scores.variant.get("model") for scores in self.scores.values())), None),
            "variant": {name: dict(scores.variant) for name, scores in self.scores.items()},
            "sentences": [
                {
                    "start": sentence.start,
                    "end": sentence.end,
                    "function": self.functions[number],
                    "scores": {name: scores.values[number] for name, scores in self.scores.items()},
                    "ranks": {name: rank[number] for name, rank in ranks.items()},
                }
                for number, sentence in enumerate(self.sentences)
            ],
        }
        evidence = {name: found for name, scores in self.scores.items() if (found := _light(scores))}
        return {
            **row,
            **({"evidence": evidence} if evidence else {}),
            **({"reasons": self.reasons} if self.reasons else {}),
        }


def read_cases(path: Path) -> Iterator[Case]:
    """Every trace of a file, a folder of shards or a pattern, and every row that holds none, in order.

    Raises:
        InputError: a file cannot be read.
    """
    for file in sources(path):
        for number, row in every_row(file):
            yield from _cases(str(number), row)


def _cases(name: str, row: Mapping[str, Any] | RowError) -> Iterator[Case]:
    if isinstance(row, RowError):
        yield Case(Trace(name, "", "", ""), str(row))
        return
    own = row.get("id")
    nothing = Trace(own if isinstance(own, str) and own else name, "", "", "")
    try:
        found = locate(row, name)
    except RowError as error:
        yield Case(nothing, str(error))
        return
    if not found:
        yield Case(nothing, "the row holds no reasoning.")
    for one in found:
        yield Case(replace(one.trace, meta=row))  # gold answers and the like, for scorers that want them


def costs(cases: Iterable[Case], scorers: Mapping[str, Scorer]) -> dict[str, object]:
    """What each scorer that tells its cost takes for all cases, by name; `str` of it is a phrase for a reader."""
    traces = [case.trace for case in cases if not case.reason]
    spans = _spans(traces)
    return {name: scorer.cost(traces, spans) for name, scorer in scorers.items() if isinstance(scorer, Costly)}


def score_cases(
    cases: Iterable[Case], scorers: Mapping[str, Scorer], tagger: Tagger | None, progress: Callable[[str], None]
) -> Iterator[Scored]:
    """All cases in order, none is lost.

    Scorers that judge each trace by itself see some hundred at a time; one that learns from the others sees them all.
    """
    together = any(hasattr(scorer, "score_all") for scorer in scorers.values())
    source, done = iter(cases), 0
    while batch := list(source if together else islice(source, _BATCH)):
        yield from _batch(batch, scorers, tagger)
        done += len(batch)
        if len(batch) == _BATCH:
            progress(f"{done:,} rows")


def _batch(cases: Sequence[Case], scorers: Mapping[str, Scorer], tagger: Tagger | None) -> Iterator[Scored]:
    readable = [case for case in cases if not case.reason]
    traces = [case.trace for case in readable]
    spans = _spans(traces)
    found = {name: iter(score_all(scorer, traces, spans)) for name, scorer in scorers.items()}
    sentences = iter(spans)
    for case in cases:
        if case.reason:
            yield Scored(case, [], [], {})
            continue
        own = next(sentences)
        functions, reason = _functions(tagger, own, case.trace.prompt)
        yield Scored(case, own, functions, {name: next(rows) for name, rows in found.items()}, reason)


def _spans(traces: Sequence[Trace]) -> list[list[Sentence]]:
    return [split(trace.reasoning) if trace.reasoning.strip() else [] for trace in traces]


def _functions(tagger: Tagger | None, sentences: Sequence[Sentence], prompt: str) -> tuple[Sequence[str | None], str]:
    if tagger is None or not sentences:
        return [None] * len(sentences), ""
    try:
        return tagger.tag(sentences, prompt), ""
    except RowError as error:
        return [None] * len(sentences), str(error)


def _light(scores: Scores) -> dict[str, Any]:
    """What stands behind the numbers, as far as it is no array: which heads, how sure, noise floors and intervals."""
    receivers = scores.evidence.get("receivers", {})
    found = {name: receivers[name] for name in _RECEIVERS if name in receivers}
    return found | {name: scores.evidence[name] for name in ("importance", "failed") if scores.evidence.get(name)}
