"""Which token belongs to which sentence, by the offsets that the tokenizer gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antidistill.errors import InputError, RowError
from antidistill.text import Sentence
from antidistill.trace import Trace

TEMPLATE = "{prompt}\n<think>\n{reasoning}"
"""How prompt and reasoning are shown to a model; the answer comes later and cannot change what a causal model does before."""


@dataclass(frozen=True, slots=True)
class TokenMap:
    """Tokens of one trace.

    Attributes:
        ids: token numbers of prompt and reasoning, shape (tokens,).
        starts, ends: the tokens of each sentence, half open, shape (sentences,); a sentence without a token of its own has
            start = end. Sentences are contiguous: each starts where the one before ends.
    """

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Tokens of each sentence."""
        return self.ends - self.starts

    def cut(self, tokens: int) -> TokenMap:
        """The first `tokens` tokens; sentences that are not wholly inside have none."""
        if tokens >= len(self.ids):
            return self
        whole = self.ends <= tokens
        last = int(self.ends[whole].max(initial=0))
        starts, ends = np.where(whole, self.starts, last), np.where(whole, self.ends, last)
        return TokenMap(self.ids[:tokens], starts, ends)


def map_tokens(tokenizer: Any, trace: Trace, sentences: Sequence[Sentence], template: str = TEMPLATE) -> TokenMap:
    """Tokens of prompt and reasoning, and the sentence of each.

    A token belongs to the sentence that holds its first character that is not white space (a token of white space alone: its
    first character), so the word that opens a sentence is never counted to the sentence before it.

    Args:
        tokenizer: a fast tokenizer of the transformers library.
        trace: the trace.
        sentences: sentences of its reasoning, ascending, not overlapping.
        template: with the fields `{prompt}` and `{reasoning}`.

    Raises:
        InputError: the tokenizer cannot tell offsets.
        RowError: there is no reasoning, or no sentence.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise InputError(
            f"the tokenizer {type(tokenizer).__name__} gives no offsets, which tell the sentence of a token: use a model with a "
            "fast tokenizer (tokenizer.json)."
        )
    if not trace.reasoning.strip() or not sentences:
        raise RowError("there is no reasoning to score: the row has no sentence.")
    before, _, after = template.partition("{reasoning}")
    text = before.replace("{prompt}", trace.prompt) + trace.reasoning + after
    begin = len(text) - len(after) - len(trace.reasoning)
    encoded = tokenizer(text, return_offsets_mapping=True, verbose=False)
    offsets = np.array(encoded["offset_mapping"], dtype=np.int64).reshape(-1, 2)
    places = np.array([_first_letter(text, start, end) for start, end in offsets], dtype=np.int64) - begin
    owners = _owners(places, offsets[:, 1] > offsets[:, 0], sentences)
    bounds = np.searchsorted(_monotone(owners, len(sentences)), np.arange(len(sentences) + 1))
    return TokenMap(np.array(encoded["input_ids"], dtype=np.int64), bounds[:-1], bounds[1:])


def _first_letter(text: str, start: int, end: int) -> int:
    """Offset of the first character of `text[start:end]` that is not white space; `start` where all are."""
    piece = text[start:end]
    blank = len(piece) - len(piece.lstrip())
    return int(start + (blank if blank < len(piece) else 0))


def _owners(places: NDArray[np.int64], real: NDArray[np.bool_], sentences: Sequence[Sentence]) -> NDArray[np.int64]:
    """Number of the sentence at each place; -1 before the first, the number of sentences after the last.

    A place between two sentences (white space that a splitter left out) counts to the earlier one.
    """
    starts = np.array([sentence.start for sentence in sentences], dtype=np.int64)
    owners = np.searchsorted(starts, places, "right") - 1
    owners[places >= sentences[-1].end] = len(sentences)
    owners[~real] = -1  # special tokens stand for no text
    return owners


def _monotone(owners: NDArray[np.int64], sentences: int) -> NDArray[np.int64]:
    """Owners that never fall: a special token behind the text belongs behind it."""
    rising = np.maximum.accumulate(owners)
    return np.minimum(rising, sentences)
