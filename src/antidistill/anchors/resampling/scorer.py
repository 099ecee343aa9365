"""Importance by resampling as a scorer of sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from antidistill.anchors.journal import fingerprint
from antidistill.anchors.resampling.importance import MEASURES, importance, similarities
from antidistill.anchors.resampling.local import LocalWriter
from antidistill.anchors.resampling.published import read_problem, spans
from antidistill.anchors.resampling.remote import RemoteWriter
from antidistill.anchors.resampling.rollouts import Rollouts
from antidistill.anchors.resampling.sample import Cost, Plan, cost, resume, sample
from antidistill.anchors.scores import Scores
from antidistill.errors import BadOption, InputError, RowError, UnknownName
from antidistill.measure.embedding import Encoder
from antidistill.measure.models import SMALL_ENCODER, SMALL_LANGUAGE_MODEL, load_encoder
from antidistill.text import Sentence, split
from antidistill.trace import Trace


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """Scores sentences by what answers a model comes to with and without them.

    Costs rollouts × (sentences + 1) continuations of a trace, unless they are there already. Once an endpoint has refused for
    good, this scorer asks it no more (`RemoteWriter`): make a new one when that is mended.

    Attributes:
        measure: which importance is the score, one of `MEASURES`.
        published: folder of rollouts that others made (`published.read_problem`): of the problem itself, or one that holds a
            folder with the trace's id or the last part of it. Nothing is sampled then.
        model: the model that writes on: the small default, a hub name or a folder; with `url`, its name there.
        url: base of an OpenAI-compatible API that serves /completions; None for a model on this machine.
        workers: requests at a time.
        plan: options of `sample.Plan`, by name: rollouts, temperature, top_p, max_tokens, forced, batch, seed …
        encoder: what tells whether two sentences mean the same: the small default, a hub name or a folder.
        threshold: cosine below which they do not; None for the median over the trace.
        gold: name of the entry of `Trace.meta` that holds the right answer; without it there is no importance by accuracy.
        store: folder of finished rollouts, a file for each trace, from which a stopped run goes on; None to keep nothing.
        progress: called with the cost before anything is asked, and with a few words after each batch.
    """

    name: ClassVar[str] = "resampling"
    measure: str = "counterfactual-kl"
    published: Path | str | None = None
    model: str = SMALL_LANGUAGE_MODEL
    url: str | None = None
    workers: int = 8
    plan: Mapping[str, Any] = field(default_factory=dict)
    encoder: str = SMALL_ENCODER
    threshold: float | None = None
    gold: str = "gold"
    store: Path | str | None = None
    progress: Callable[[str], None] = lambda step: None

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise UnknownName("measure of importance", self.measure, MEASURES)
        if self.threshold is not None and not (isinstance(self.threshold, (int, float)) and -1 <= self.threshold <= 1):
            raise BadOption("threshold", self.threshold, "a cosine from -1 to 1, or left out")
        self.chosen()
        self._writer  # noqa: B018 - wrong values are told before anything is asked

    def chosen(self) -> Plan:
        """The plan in full.

        Raises:
            UnknownName: an option that a plan does not have.
            BadOption: one out of its range.
        """
        known = Plan.__dataclass_fields__
        if not isinstance(self.plan, Mapping):
            raise BadOption("plan", self.plan, "a mapping of " + ", ".join(known))
        for option in self.plan:
            if option not in known:
                raise UnknownName("option of plan", option, known)
        given = {"forced": self.measure.startswith("forced"), **self.plan}
        return Plan(**given)

    def cost(self, traces: Sequence[Trace], sentences: Sequence[Sequence[Sentence]]) -> Cost:
        """What scoring these traces takes, before anything is asked; nothing for rollouts that are there already.

        Args:
            traces: the traces.
            sentences: sentences of each trace; a trace without any costs nothing.

        Raises:
            UsageError: the store belongs to something else.
        """
        if self.published is not None:
            return Cost()
        return sum(map(self._cost, traces, sentences), Cost())

    def _cost(self, trace: Trace, sentences: Sequence[Sentence]) -> Cost:
        plan = self.chosen()
        _, _, todo = resume(self._writer, trace, sentences, plan, self._file(trace))
        return cost(trace, sentences, plan, todo)

    def score(self, trace: Trace, sentences: Sequence[Sentence] | None = None) -> Scores:
        """Scores of one trace by `measure`: KL as it is, accuracy without its sign; higher = matters more.

        The evidence holds the whole `Importance` as plain JSON values under "importance" (counterfactual only where it is the
        score, since it needs the encoder), and under "failed" why rollouts are missing.
        With published rollouts, a sentence has the score of the published sentence that its first letter stands in.

        Raises:
            RowError: there are no rollouts of this trace, or none of its sentences has a value.
            UsageError: the store belongs to something else.
        """
        own = split(trace.reasoning) if sentences is None else sentences
        rollouts = self._rollouts(trace, own)
        wanted = self.measure.startswith("counterfactual")
        cosines = similarities(rollouts, _encoder(self.encoder).embed) if wanted else None
        found = importance(rollouts, cosines, self.threshold, self.chosen().seed)
        numbers = np.abs(found.values[self.measure])
        if not np.isfinite(numbers).any():
            raise RowError(f"no sentence has a {self.measure}: {next(iter(found.reasons[self.measure].values()))}.")
        owners = _owners(trace, own, rollouts.sentences) if self.published is not None else list(range(len(own)))
        kept = [
            float(numbers[owner]) if owner is not None and np.isfinite(numbers[owner]) else None for owner in owners
        ]
        evidence = {"importance": found.to_json(), "owners": owners, "failed": dict(rollouts.failed)}
        return Scores(self.name, tuple(kept), self._variant(), evidence=evidence)

    def _rollouts(self, trace: Trace, sentences: Sequence[Sentence]) -> Rollouts:
        if self.published is not None:
            return _found(Path(self.published), trace)
        gold = trace.meta.get(self.gold)
        right = None if gold is None else str(gold)
        store, plan = self._file(trace), self.chosen()
        return sample(self._writer, trace, sentences, plan, gold=right, store=store, progress=self.progress)

    def _file(self, trace: Trace) -> Path | None:
        name = fingerprint(trace.prompt, trace.reasoning)
        return None if self.store is None else Path(self.store) / f"rollouts-{name}.jsonl"

    @cached_property
    def _writer(self) -> LocalWriter | RemoteWriter:
        return (
            LocalWriter(self.model)
            if self.url is None
            else RemoteWriter(url=self.url, model=self.model, workers=self.workers)
        )

    def _variant(self) -> dict[str, Any]:
        made: dict[str, Any] = {"measure": self.measure, "encoder": self.encoder, "threshold": self.threshold}
        if self.published is not None:
            return made | {"published": str(self.published)}
        options = self.chosen()
        return (
            made
            | {"model": self.model, "url": self.url}
            | {name: getattr(options, name) for name in Plan.__dataclass_fields__}
        )


def _found(folder: Path, trace: Trace) -> Rollouts:
    """The published rollouts of a trace.

    Raises:
        RowError: there are none in the folder.
    """
    places = [folder, folder / trace.id, folder / Path(trace.id).name]
    place = next((place for place in places if (place / "chunks.json").is_file()), None)
    if place is None:
        raise RowError(
            f"{folder} has no rollouts of {trace.id!r}: there must be a folder of that name with a chunks.json."
        )
    try:
        return read_problem(place)
    except InputError as error:
        raise RowError(str(error)) from error


def _owners(trace: Trace, sentences: Sequence[Sentence], texts: Sequence[str]) -> list[int | None]:
    """The published sentence in which each sentence's first letter stands; None in front of the first one."""
    starts = np.array([span.start for span in spans(trace.reasoning, texts)])
    firsts = [sentence.start + len(sentence) - len(sentence.lstrip()) for sentence in sentences]
    owners = np.searchsorted(starts, firsts, "right") - 1
    return [int(owner) if owner >= 0 else None for owner in owners]


@lru_cache(maxsize=1)
def _encoder(name: str) -> Encoder:
    return load_encoder(name)
