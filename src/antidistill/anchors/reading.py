"""A model and the tokens of a trace that it reads: what all scorers that ask a model share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from antidistill.anchors.tokens import TokenMap, map_tokens
from antidistill.errors import BadOption, RowError
from antidistill.measure.models import load_language_model
from antidistill.text import Sentence
from antidistill.trace import Trace


def check_reading(template: str, **sizes: int | None) -> None:
    """Raises BadOption for a template without the reasoning, or a size below 1."""
    if "{reasoning}" not in template:
        raise BadOption("template", template, "a text that holds {reasoning}")
    for name, value in sizes.items():
        if value is not None and value < 1:
            raise BadOption(name, value, "a whole number from 1 up, or left out")


def read_tokens(
    model: str, trace: Trace, sentences: Sequence[Sentence], template: str, max_tokens: int | None = None, room: int = 0
) -> tuple[Any, TokenMap]:
    """The model, and the tokens of a trace for it.

    Args:
        model: the small default, a hub name, or a folder.
        trace: the trace.
        sentences: its sentences.
        template: how prompt and reasoning are shown.
        max_tokens: only so many; None for all.
        room: tokens that must still fit behind them.

    Raises:
        MissingExtra: a package is not installed.
        InputError: there is no such model, or its tokenizer tells no offsets.
        RowError: there is no reasoning, or more of it than the model reads.
    """
    loaded, tokenizer = load(model)
    tokens = map_tokens(tokenizer, trace, sentences, template)
    if max_tokens is not None:
        tokens = tokens.cut(max_tokens)
        if sentences and not tokens.sizes.any():
            raise RowError(f"max_tokens={max_tokens} ends before the first sentence does: raise it.")
    limit = getattr(loaded.config.get_text_config(), "max_position_embeddings", None)
    if limit is not None and len(tokens.ids) + room > limit:
        raise RowError(
            f"prompt and reasoning are {len(tokens.ids):,} tokens{f' and {room:,} more are wanted' if room else ''}, and {model} "
            f"reads {limit:,}: set max_tokens={limit - room} to score the beginning, or use a model with a longer context."
        )
    return loaded, tokens


@lru_cache(maxsize=1)
def load(model: str) -> tuple[Any, Any]:
    """Model and tokenizer; the last one is kept."""
    found = load_language_model(model)
    return found.model, found.tokenizer
