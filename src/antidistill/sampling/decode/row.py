"""One trace while it is written."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from antidistill.sampling.decode.draws import Draws
from antidistill.sampling.decode.ending import Ending
from antidistill.sampling.settings import Prompt, Settings


@dataclass(slots=True)
class Row:
    """A trace that is being written.

    Attributes:
        number: of the trace in its batch.
        prompt: what it answers.
        sample: number among the traces of its prompt.
        ids: tokens of the prompt.
        draws: its chance.
        tokens: what was written, with the token that ends it.
        reasoning: tokens of the reasoning so far, those of its closing and those that were forced included.
        cut: how many they were when the reasoning was closed by force; 0 where it was not.
        reasons: whether the next token belongs to the reasoning.
        ended: how it ended: "end" (a token that ends a text), "length" (a budget); empty while it is written.
        forced: tokens that come next without being drawn.
    """

    number: int
    prompt: Prompt
    sample: int
    ids: Sequence[int]
    draws: Draws
    tokens: list[int] = field(default_factory=list)
    reasoning: int = 0
    cut: int = 0
    reasons: bool = True
    ended: str = ""
    forced: deque[int] = field(default_factory=deque)
    doubtful: bool = False

    def add(self, token: int, ending: Ending, settings: Settings, forcing: Sequence[int]) -> None:
        """One more token: the phase and the budgets follow from it."""
        self.tokens.append(token)
        if self.forced:
            self.forced.popleft()
            self.reasoning = len(self.tokens)
            return
        if self.doubtful:
            self.doubtful = False
            self.reasons = not ending.parts(self.tokens).closed
        if self.reasons:
            self.reasoning = len(self.tokens)
            parts = ending.reached(self.tokens)
            if parts is not None:
                self.reasons, self.doubtful = False, not parts.certain
        if token in ending.stops:
            self.ended = "end"
        elif self.reasons and self.reasoning >= settings.reasoning_tokens:
            self._close(forcing)
        elif not self.reasons and len(self.tokens) - self.reasoning >= settings.answer_tokens:
            self.ended = "length"

    def _close(self, forcing: Sequence[int]) -> None:
        if forcing:
            self.reasons, self.cut = False, self.reasoning
            self.forced.extend(forcing)
        else:
            self.ended = "length"
