"""The text score as a scorer of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from antidistill.anchors.scores import Scores
from antidistill.anchors.text_score.model import TextModel, default, load, stream_term, whole_term
from antidistill.anchors.text_score.reading import Reading
from antidistill.errors import BadOption, RowError
from antidistill.text import Sentence, split
from antidistill.trace import Trace

VIEWS = ("whole", "stream")


@dataclass(frozen=True, kw_only=True, slots=True)
class TextScore:
    """Scores sentences by their text: the expected rank of their counterfactual importance (KL) within the trace.

    A small linear model (`scripts/train_text_score.py`) over length, numbers, new words, and words that hint at checking,
    doubt, plans, facts and answers, here and before. It needs no torch. The unit is the rank within the trace (0
    lowest, 1 highest), less a constant; higher = matters more.

    Attributes:
        view: whole: sees the next sentence and how long the trace is; stream: only the sentence and what precedes it.
        position: False leaves out where the sentence stands, so that only its text counts.
        weights: "default", or a file that `text_score.model.save` wrote.
    """

    name: ClassVar[str] = "text"
    view: str = "whole"
    position: bool = True
    weights: str = "default"
    _loaded: TextModel = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.view not in VIEWS:
            raise BadOption("view", self.view, "one of " + ", ".join(VIEWS))
        if not isinstance(self.position, bool):
            raise BadOption("position", self.position, "true or false")
        object.__setattr__(self, "_loaded", default() if self.weights == "default" else load(Path(self.weights)))

    @property
    def loaded(self) -> TextModel:
        """The weights."""
        return self._loaded

    def score(self, trace: Trace, sentences: Sequence[Sentence] | None = None) -> Scores:
        """Scores of one trace; of its text, the reasoning alone is looked at.

        Raises:
            RowError: there is no reasoning.
        """
        spans = split(trace.reasoning) if sentences is None else sentences
        if not trace.reasoning.strip() or not spans:
            raise RowError("there is no reasoning to score: the row has no sentence.")
        return Scores(self.name, tuple(self.values(spans)), self._variant())

    def values(self, sentences: Sequence[str]) -> list[float]:
        """The scores of all sentences of one reasoning, white space behind them included."""
        reading = Reading()
        measures = [reading.read(sentence) for sentence in sentences]
        model = self._loaded.whole if self.view == "whole" else self._loaded.stream
        found = [model.text(each) for each in measures]
        if model.next_weights:
            for number, following in enumerate(measures[1:]):
                found[number] += model.behind(following)
        if self.position:
            term, count = whole_term if self.view == "whole" else stream_term, len(found)
            return [value + model.position * term(number, count) for number, value in enumerate(found)]
        return found

    def _variant(self) -> dict[str, Any]:
        return {"view": self.view, "position": self.position, "weights": self.weights}
