"""Lets a small model answer many prompts at once, with its cache."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

ROWS = 256
"""Prompts answered at a time."""


def continuations(
    model: Any, prompts: Sequence[Sequence[int]], most: int, stop: int, temperature: float = 0.0, seed: int = 0
) -> list[list[int]]:
    """The tokens that the model writes after each prompt, `stop` included; a row that never stops has `most` tokens.

    Prompts of one length are read together, so that no padding is needed and every architecture can be asked alike.

    Args:
        model: maps input_ids and its own cache (`past_key_values`, or `cache_params` as Mamba has it) to logits.
        prompts: tokens of each prompt.
        most: tokens after which a row is cut off.
        stop: the token that ends a row.
        temperature: 0 takes the likeliest token.
        seed: of the draws.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    groups: dict[int, list[int]] = defaultdict(list)
    for number, prompt in enumerate(prompts):
        groups[len(prompt)].append(number)
    found: list[list[int]] = [[] for _ in prompts]
    for members in groups.values():
        for start in range(0, len(members), ROWS):
            rows = members[start : start + ROWS]
            tokens = torch.tensor([prompts[row] for row in rows])
            for row, written in zip(rows, _write(model, tokens, most, stop, temperature, generator), strict=True):
                found[row] = written
    return found


def _write(model: Any, tokens: Any, most: int, stop: int, temperature: float, generator: Any) -> list[list[int]]:
    import torch

    written = []
    done = torch.zeros(len(tokens), dtype=torch.bool)
    cache = "cache_params" if "cache_params" in inspect.signature(model.forward).parameters else "past_key_values"
    past: Any = None
    with torch.inference_mode():
        for _ in range(most):
            output = model(input_ids=tokens, **{cache: past}, use_cache=True)
            past = getattr(output, cache)
            logits = output.logits[:, -1]
            if temperature:
                chosen = torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)[:, 0]
            else:
                chosen = logits.argmax(-1)
            done |= chosen == stop
            written.append(chosen.masked_fill(done, stop))
            if done.all():
                break
            tokens = written[-1][:, None]
    rows = torch.stack(written, dim=1).tolist()
    return [row[: row.index(stop) + 1] if stop in row else row for row in rows]
