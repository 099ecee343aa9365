"""What a student thinks of held-out traces: the loss of every token of the completion, and where in the trace it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from antidistill.distill.layout import Example, Layout
from antidistill.measure.likelihood import has_bfloat16
from antidistill.text import split
from antidistill.text.markers import DEFAULT, Markers
from antidistill.trace import Trace

PARTS = ("marker", "after_marker", "other", "answer")
"""Marker sentences, the sentences right after them, all other reasoning, and the answer with the end of the text."""
FRAME = -1
"""What opens the reasoning, the same in every trace."""
_BATCH_TOKENS = 2048


class TokenLosses(NamedTuple):
    """Losses of the completion of one trace.

    Attributes:
        nats: negative log likelihood of each token, end of text included, shape (tokens,).
        starts: offset in the completion of the first character of each token that is no white space, shape (tokens,).
    """

    nats: NDArray[np.float64]
    starts: NDArray[np.int64]


def completion_losses(
    model: Any, tokenizer: Any, traces: Sequence[Trace], layout: Layout | None = None
) -> list[TokenLosses]:
    """Losses of the completions of `traces`, each behind its prompt.

    Args:
        model: a causal language model.
        tokenizer: its tokenizer; it must know offsets (a fast one).
        traces: what is scored, untouched by any defense.
        layout: how the student was trained.
    """
    layout = layout or Layout()
    examples = [layout.encode(tokenizer, trace) for trace in traces]
    found: dict[int, NDArray[np.float64]] = {}
    for rows in _batches(examples):
        found.update(zip(rows, _read(model, [examples[row] for row in rows]), strict=True))
    return [TokenLosses(found[row], _starts(tokenizer, layout.completion(trace))) for row, trace in enumerate(traces)]


def parts_of(trace: Trace, layout: Layout, starts: NDArray[np.int64], markers: Markers = DEFAULT) -> NDArray[np.int64]:
    """The part of each token that starts at `starts` in the completion: index into `PARTS`, or FRAME, shape (tokens,)."""
    sentences = split(trace.reasoning)
    marked = [bool(markers.opening(sentence)) for sentence in sentences]
    kinds = [0 if own else 1 if before else 2 for own, before in zip(marked, [False, *marked], strict=False)]
    offset = len(layout.opening)
    edges = [offset, *(offset + sentence.end for sentence in sentences)]
    place = np.searchsorted(edges, starts, "right")  # 0: frame; 1 … sentences; beyond: answer
    return np.array([FRAME, *kinds, len(PARTS) - 1], dtype=np.int64)[place]


def _starts(tokenizer: Any, text: str) -> NDArray[np.int64]:
    """A token's white space in front belongs to the sentence before, its first letter to its own."""
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    firsts = [
        end - len(text[start:end].lstrip()) if text[start:end].strip() else start
        for start, end in encoded.offset_mapping
    ]
    return np.array([*firsts, len(text)], dtype=np.int64)


def _batches(examples: Sequence[Example]) -> Iterator[list[int]]:
    batch: list[int] = []
    for row in sorted(range(len(examples)), key=lambda row: len(examples[row].ids)):
        if batch and (len(batch) + 1) * len(examples[row].ids) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _read(model: Any, examples: Sequence[Example]) -> list[NDArray[np.float64]]:
    import torch
    from torch.nn.functional import cross_entropy

    width = max(len(example.ids) for example in examples)
    ids = torch.zeros((len(examples), width), dtype=torch.long)  # padding stands behind, where no token looks
    for line, example in enumerate(examples):
        ids[line, : len(example.ids)] = torch.tensor(example.ids)
    device = model.device
    with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bfloat16(device)):
        logits = model(input_ids=ids.to(device), use_cache=False).logits
    nats = []
    for line, example in enumerate(examples):
        span = slice(example.prompt - 1, len(example.ids) - 1)
        wanted = ids[line, example.prompt : len(example.ids)].to(device)
        with torch.inference_mode():
            loss = cross_entropy(logits[line, span].float(), wanted, reduction="none")
        nats.append(np.asarray(loss.cpu().numpy(), dtype=np.float64))
    return nats
