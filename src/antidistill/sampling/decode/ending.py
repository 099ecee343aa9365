"""Where the reasoning ends, told while tokens arrive and again from the whole text, by the same rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from antidistill.sampling.settings import Frame, plain_ids
from antidistill.text import thinking

_QUOTES = frozenset("`'\"“”‘’«»")
_MORE = 8
"""Tokens looked at beyond those of a closing, since one may be torn over tokens in another way than by itself."""


class Parts(NamedTuple):
    """A teacher's text, taken apart.

    Attributes:
        reasoning: up to the closing.
        answer: behind it, without white space in front; empty where the reasoning is not closed.
        closed: whether the reasoning is closed.
        certain: False where the text ends with a closing behind a quote, which the next character may turn into a mention.
    """

    reasoning: str
    answer: str
    closed: bool
    certain: bool = True


class Ending:
    """The end of the reasoning for one tokenizer and one frame.

    Args:
        tokenizer: the teacher's.
        frame: names the closings.
        stops: tokens that end a text.
    """

    def __init__(self, tokenizer: Any, frame: Frame, stops: Sequence[int]) -> None:
        self._tokenizer, self._frame, self.stops = tokenizer, frame, frozenset(stops)
        self._closings = [plain_ids(tokenizer, closing) for closing in frame.closings]
        self._longest = max(map(len, self._closings), default=0) + _MORE
        self._may_close = _tokens_with(tokenizer, {closing[-1] for closing in frame.closings})
        known = {sign for d in thinking.DELIMITERS for sign in d.closings}
        self._tagged = bool(frame.closings) and known.issuperset(frame.closings)

    @property
    def exempt(self) -> list[int]:
        """Tokens that keep the clean teacher's probability: special and added ones, stops, first tokens of closings."""
        added = getattr(self._tokenizer, "added_tokens_decoder", {})
        firsts = [closing[0] for closing in self._closings]
        return sorted({*self._tokenizer.all_special_ids, *added, *self.stops, *firsts})

    def begun(self, tokens: Sequence[int]) -> bool:
        """Whether the last tokens are the beginning of a closing of several tokens."""
        return any(
            list(tokens[-length:]) == closing[:length]
            for closing in self._closings
            for length in range(1, len(closing))
            if length <= len(tokens)
        )

    def reached(self, tokens: Sequence[int]) -> Parts | None:
        """The parts of the text, if the last token may have closed the reasoning and did; else None."""
        if self._may_close is not None and tokens[-1] not in self._may_close:
            return None
        tail = self.decode(tokens[-self._longest :])
        if not any(closing in tail for closing in self._frame.closings):
            return None
        parts = self.parts(tokens)
        return parts if parts.closed else None

    def parts(self, tokens: Sequence[int]) -> Parts:
        """The text of the tokens, taken apart."""
        text = self.decode(tokens)
        return self._by_tags(text) if self._tagged else self._by_closings(text)

    def body(self, tokens: Sequence[int], reasoning: int) -> int:
        """How many of the first `reasoning` tokens stand before the closing and before a token that ends the text."""
        end = reasoning - (reasoning > 0 and tokens[reasoning - 1] in self.stops)
        for start in range(end - 1, max(end - self._longest, 0) - 1, -1):
            tail = self.decode(tokens[start:end])
            if any(closing in tail for closing in self._frame.closings):
                return start
        return end

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of the tokens, without those at the end that end a text."""
        end = len(tokens)
        while end and tokens[end - 1] in self.stops:
            end -= 1
        text: str = self._tokenizer.decode(
            list(tokens[:end]), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text

    def _by_tags(self, text: str) -> Parts:
        """As every file of traces is read, so that a mention of a closing is none."""
        opening = next(d.opening for d in thinking.DELIMITERS if self._frame.closings[0] in d.closings)
        whole = opening + text
        found = thinking.find(whole)[0]
        reasoning = whole[found.start : found.end]
        if found.end == len(whole):
            return Parts(reasoning, "", closed=False)
        doubtful = reasoning[-1:] in _QUOTES and any(text.endswith(closing) for closing in self._frame.closings)
        # What follows a second block of reasoning is part of the answer as well.
        start = found.answer_start
        return Parts(reasoning, whole[start:], closed=True, certain=not doubtful)

    def _by_closings(self, text: str) -> Parts:
        found = [(at, at + len(closing)) for closing in self._frame.closings if (at := text.find(closing)) >= 0]
        if not found:
            return Parts(text, "", closed=False)
        end, start = min(found)
        return Parts(text[:end], text[start:].lstrip(), closed=True)


def stop_tokens(model: Any, tokenizer: Any) -> list[int]:
    """Tokens that end a text: the tokenizer's and those of the model's own configuration."""
    own = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    more = [] if own is None else [own] if isinstance(own, int) else list(own)
    first = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    return list(dict.fromkeys([*first, *more]))


def _tokens_with(tokenizer: Any, characters: set[str]) -> frozenset[int] | None:
    """Tokens whose text holds one of the characters; None (any token may) where characters are torn over tokens."""
    if any(ord(character) > 127 or character.isspace() for character in characters):
        return None
    return frozenset(
        number for token, number in tokenizer.get_vocab().items() if any(character in token for character in characters)
    )
