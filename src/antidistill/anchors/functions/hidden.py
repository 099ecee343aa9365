"""What a small language model has in mind at each sentence: the hidden states of one layer, which know what came before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antidistill.anchors.attention.watch import Enough
from antidistill.anchors.prefix import body_of
from antidistill.anchors.reading import load
from antidistill.anchors.tokens import TokenMap, map_tokens
from antidistill.measure.models import SMALL_LANGUAGE_MODEL
from antidistill.text import Sentence
from antidistill.trace import Trace

Matrix = NDArray[np.float64]

LAYERS = 20
"""Layers of SmolLM2-135M (of 30) that are run: the states behind them say most about what a sentence does."""
WIDTH = 576
"""Numbers of one state."""
_WINDOW = 8192
"""Tokens that the model was made for; a longer trace is read in windows that overlap by half."""


def states(sentences: Sequence[str], prompt: str) -> Matrix:
    """Mean state over the tokens of each sentence, and the state at its last one; shape (sentences, 2 x `WIDTH`).

    Args:
        sentences: all sentences of the reasoning, white space behind them included where it is known.
        prompt: what the model was asked.

    Raises:
        MissingExtra: the packages of the model are not installed.
    """
    if not any(sentence.strip() for sentence in sentences):
        return np.zeros((len(sentences), 2 * WIDTH))
    model, tokenizer = load(SMALL_LANGUAGE_MODEL)
    bounds = np.cumsum([0, *map(len, sentences)]).tolist()
    spans = [Sentence(*each) for each in zip(sentences, bounds[:-1], bounds[1:], strict=True)]
    tokens = map_tokens(tokenizer, Trace("", prompt, "".join(sentences), ""), spans)
    return _by_sentence(_read(model, tokens.ids), tokens)


def _by_sentence(hidden: Matrix, tokens: TokenMap) -> Matrix:
    rows = []
    for start, end in zip(tokens.starts, tokens.ends, strict=True):
        first = min(start, max(end - 1, 0))  # a sentence without a token of its own: the one before it
        rows.append(np.concatenate([hidden[first : first + max(end - start, 1)].mean(axis=0), hidden[max(end - 1, 0)]]))
    return np.array(rows, dtype=np.float64)


def _read(model: Any, ids: NDArray[np.int64]) -> Matrix:
    """States of all tokens, shape (tokens, `WIDTH`); each but the first half window has half a window before it or more."""
    step = _WINDOW // 2
    later = range(step, len(ids) - step, step)
    parts = [_window(model, ids[start : start + _WINDOW])[step:] for start in later]
    return np.concatenate([_window(model, ids[:_WINDOW]), *parts])


def _window(model: Any, ids: NDArray[np.int64]) -> Matrix:
    import torch

    seen: list[Any] = []

    def stop(_module: Any, inputs: Any, _keywords: Any) -> None:
        seen.append(inputs[0][0])
        raise Enough

    body = body_of(model)
    hook = body.layers[LAYERS].register_forward_pre_hook(stop, with_kwargs=True)
    try:
        with torch.inference_mode():
            body(input_ids=torch.from_numpy(ids)[None].to(model.device), use_cache=False)
    except Enough:
        pass
    finally:
        hook.remove()
    return np.asarray(seen[0].float().cpu().numpy())
