"""Batched generation by a causal language model, greedy or sampled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from antidistill.distill.layout import end_of_text
from antidistill.distill.settings import Asking


class Output(NamedTuple):
    """What a model wrote.

    Attributes:
        text: without the token that ends it.
        tokens: tokens written, without the one that ends the text.
        ended: whether the model ended the text itself.
    """

    text: str
    tokens: int
    ended: bool


def generate(model: Any, tokenizer: Any, asked: Sequence[Sequence[int]], asking: Asking) -> list[Output]:
    """One output for each sequence of tokens; arguments as of `batches`."""
    found: dict[int, Output] = {}
    for rows, outputs in batches(model, tokenizer, asked, asking):
        found.update(zip(rows, outputs, strict=True))
    return [found[row] for row in range(len(asked))]


def batches(
    model: Any,
    tokenizer: Any,
    asked: Sequence[Sequence[int]],
    asking: Asking,
    done: Callable[[int], bool] = lambda row: False,
) -> Iterator[tuple[list[int], list[Output]]]:
    """Outputs batch by batch.

    Sequences of like length are generated together, padded on the left. Every batch has a seed of its own, so that a run
    that goes on later draws what it would have drawn.

    Args:
        model: a causal language model.
        tokenizer: its tokenizer, with an end-of-text token.
        asked: tokens that the model goes on behind.
        asking: length, temperature, batch and seed.
        done: whether the output of a row is there already; a batch of such rows is passed over.

    Yields:
        The rows of a batch and their outputs.
    """
    order = sorted(range(len(asked)), key=lambda row: (-len(asked[row]), row))
    for number, start in enumerate(range(0, len(order), asking.batch)):
        rows = order[start : start + asking.batch]
        if not all(map(done, rows)):
            seed = asking.seed * 1_000_003 + number
            yield rows, _batch(model, tokenizer, [asked[row] for row in rows], asking, seed)


def _batch(model: Any, tokenizer: Any, asked: list[Sequence[int]], asking: Asking, seed: int) -> list[Output]:
    import torch

    stops = _stops(model, tokenizer)
    ids, attention = _padded(asked, stops[0], model.device)
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(seed)
        written = model.generate(
            input_ids=ids,
            attention_mask=attention,
            eos_token_id=stops,
            pad_token_id=stops[0],
            max_new_tokens=asking.max_new_tokens,
            **_decoding(asking),
        )
    return [_output(tokenizer, tokens, stops) for tokens in written[:, ids.shape[1] :].tolist()]


def _decoding(asking: Asking) -> dict[str, Any]:
    """Names every option, since a model's own generation configuration would fill the gaps."""
    greedy = asking.temperature == 0
    plain = {"do_sample": not greedy, "num_beams": 1, "repetition_penalty": 1.0, "use_cache": True}
    unused = {"temperature": None, "top_p": None, "top_k": None}
    return plain | (unused if greedy else {"temperature": asking.temperature, "top_p": asking.top_p, "top_k": 0})


def _stops(model: Any, tokenizer: Any) -> list[int]:
    """Tokens that end a text: the tokenizer's, which students learn, and those of the model's own configuration."""
    own = getattr(model.generation_config, "eos_token_id", None)
    more = [] if own is None else [own] if isinstance(own, int) else list(own)
    return list(dict.fromkeys([end_of_text(tokenizer), *more]))


def _padded(asked: Sequence[Sequence[int]], filler: int, device: Any) -> tuple[Any, Any]:
    import torch

    width = max(map(len, asked))
    ids = torch.full((len(asked), width), filler, dtype=torch.long)
    attention = torch.zeros_like(ids)
    for line, tokens in enumerate(asked):
        ids[line, width - len(tokens) :] = torch.tensor(tokens)
        attention[line, width - len(tokens) :] = 1
    return ids.to(device), attention.to(device)


def _output(tokenizer: Any, tokens: list[int], stops: list[int]) -> Output:
    end = next((place for place, token in enumerate(tokens) if token in stops), None)
    kept = tokens if end is None else tokens[:end]
    return Output(tokenizer.decode(kept, skip_special_tokens=False), len(kept), end is not None)
