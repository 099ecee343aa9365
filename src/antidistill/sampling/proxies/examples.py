"""A clean trace as tokens, under the frame that the teacher was asked with."""

from __future__ import annotations

from typing import Any, NamedTuple

from antidistill.sampling.settings import Frame, Prompt, plain_ids
from antidistill.trace import Trace


class Example(NamedTuple):
    """One trace as tokens.

    Attributes:
        ids: prompt, reasoning, closing, answer and the token that ends the text.
        prompt: how many of them are the prompt.
        reasoning: how many of them are the prompt and the reasoning.
    """

    ids: list[int]
    prompt: int
    reasoning: int

    @property
    def scored(self) -> int:
        """Tokens behind the prompt."""
        return max(len(self.ids) - self.prompt, 0)


def encode(tokenizer: Any, frame: Frame, trace: Trace, max_length: int) -> Example:
    """The trace as tokens, cut off behind `max_length`."""
    asked = frame.prompt_ids(tokenizer, Prompt(trace.id, trace.prompt))
    reasoned = [*asked, *plain_ids(tokenizer, trace.reasoning)]
    ids = [*reasoned, *plain_ids(tokenizer, frame.closing + trace.answer)]
    if tokenizer.eos_token_id is not None:
        ids.append(int(tokenizer.eos_token_id))
    return Example(ids[:max_length], len(asked), min(len(reasoned), max_length))
