"""Attention suppression as a scorer of sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from antidistill.anchors.journal import fingerprint
from antidistill.anchors.reading import check_reading, read_tokens
from antidistill.anchors.scores import Scores
from antidistill.anchors.suppression.matrix import CHUNK, TEMPERATURE, suppression_matrix
from antidistill.anchors.tokens import TEMPLATE
from antidistill.errors import BadOption, RowError
from antidistill.measure.models import SMALL_LANGUAGE_MODEL
from antidistill.text import Sentence, split
from antidistill.trace import Trace


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """Scores sentences by what hiding each of them does to the next-token distributions of later ones.

    One reading of the trace for each sentence, from that sentence on: minutes to hours on a processor for a long trace.

    Attributes:
        model: a causal language model: the small default, a hub name, or a folder.
        gap: a sentence counts what it does to sentences at least this many later; at least 1.
        temperature: divides the logits; above 0.
        template: how prompt and reasoning are shown to the model.
        max_tokens: read only so many; later sentences get no score. None: a longer trace than the model reads is a reason.
        chunk: tokens read at a time.
        store: folder of finished columns, a file for each trace, from which a stopped run goes on; None to keep nothing.
        progress: called with a few words before each sentence.
    """

    name: ClassVar[str] = "suppression"
    model: str = SMALL_LANGUAGE_MODEL
    gap: int = 1
    temperature: float = TEMPERATURE
    template: str = TEMPLATE
    max_tokens: int | None = None
    chunk: int = CHUNK
    store: Path | str | None = None
    progress: Callable[[str], None] = lambda step: None

    def __post_init__(self) -> None:
        check_reading(self.template, max_tokens=self.max_tokens, chunk=self.chunk, gap=self.gap)
        if not self.temperature > 0:
            raise BadOption("temperature", self.temperature, "a number above 0")

    def score(self, trace: Trace, sentences: Sequence[Sentence] | None = None) -> Scores:
        """Scores of one trace: per sentence `Matrix.influence`, in nats of the logarithm; the last `gap` have none.

        The evidence holds the matrices "raw" and "log" (see `Matrix`).

        Raises:
            RowError: the trace cannot be scored: too few sentences or too many tokens, or a model whose logits are no numbers.
            InputError: there is no such model, or no sentence can be hidden from it.
        """
        spans = split(trace.reasoning) if sentences is None else sentences
        model, tokens = read_tokens(self.model, trace, spans, self.template, self.max_tokens)
        read = int((tokens.sizes > 0).sum())
        if read <= self.gap:
            remedy = "give longer traces" if self.max_tokens is None else f"raise max_tokens={self.max_tokens}"
            raise RowError(
                f"the trace has {read} sentences with tokens and the gap is {self.gap}: no sentence has another one so far "
                f"behind it; {remedy} or lower the gap."
            )
        found = suppression_matrix(
            model,
            tokens,
            temperature=self.temperature,
            chunk=self.chunk,
            name=self.model,
            store=self._file(trace),
            progress=self.progress,
        )
        values = tuple(float(value) if np.isfinite(value) else None for value in found.influence(self.gap))
        return Scores(self.name, values, self._variant(), evidence={"raw": found.raw, "log": found.log})

    def _file(self, trace: Trace) -> Path | None:
        name = fingerprint(trace.prompt, trace.reasoning)
        return None if self.store is None else Path(self.store) / f"suppression-{name}.jsonl"

    def _variant(self) -> dict[str, Any]:
        names = ("model", "gap", "temperature", "template", "max_tokens", "chunk")
        return {name: getattr(self, name) for name in names}
