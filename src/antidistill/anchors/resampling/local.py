"""Rollouts written by a causal language model on this machine, which reads the reasoning once for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from antidistill.anchors import reading
from antidistill.anchors.journal import fingerprint
from antidistill.anchors.prefix import Prefix, read_prefix
from antidistill.anchors.resampling.sample import Done, Job, Plan
from antidistill.anchors.tokens import TokenMap
from antidistill.errors import InputError, RowError
from antidistill.measure.models import SMALL_LANGUAGE_MODEL
from antidistill.text import Sentence
from antidistill.trace import Trace

_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class LocalWriter:
    """Writes on with a model of the transformers library.

    Keys and values of the reasoning are kept and shared, so a rollout reads nothing but its own tokens. Every job has a seed of
    its own, so a run that goes on later draws what it would have drawn.

    Attributes:
        model: the small default, a hub name, or a folder.
    """

    model: str = SMALL_LANGUAGE_MODEL

    @property
    def about(self) -> Mapping[str, Any]:
        """The model."""
        return {"model": self.model}

    def write(self, trace: Trace, sentences: Sequence[Sentence], plan: Plan, jobs: Sequence[Job]) -> Iterator[Done]:
        """Does the jobs in order.

        Raises:
            RowError: the reasoning leaves no room in the model's context, or the model's states are no numbers.
            InputError: there is no such model, or it keeps no keys and values.
        """
        import torch

        model, tokens = reading.read_tokens(self.model, trace, sentences, plan.template, room=1)
        if getattr(model, "_is_stateful", False):
            raise InputError(
                f"{type(model).__name__} has no attention whose keys could be kept: give a model that has."
            )
        ids = torch.from_numpy(tokens.ids)
        prefix = read_prefix(model, ids, _CHUNK)
        if not bool(torch.isfinite(prefix.hidden).all()):
            raise RowError(f"what {self.model} makes of the reasoning is not a number: load it in float32 or bfloat16.")
        for job in jobs:
            yield Done(job, _continued(_Reader(self.model, tokens, prefix), trace, plan, job))


@dataclass(frozen=True, slots=True)
class _Reader:
    """A model that has read a reasoning."""

    name: str
    tokens: TokenMap
    prefix: Prefix


def _continued(reader: _Reader, trace: Trace, plan: Plan, job: Job) -> list[str]:
    """The texts of one job, without special tokens but with `</think>`."""
    import torch

    model, tokenizer = reading.load(reader.name)
    begin = _beginning(reader.tokens, job.kept)
    forcing = tokenizer(plan.forcing, add_special_tokens=False).input_ids if job.forced else []
    ids = torch.tensor([*begin.tolist(), *forcing])[None].expand(job.size, -1).to(model.device)
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    wanted = plan.forced_tokens if job.forced else plan.max_tokens
    room = wanted if limit is None else min(wanted, limit - ids.shape[1])
    if room < 1:
        raise RowError(
            f"behind {ids.shape[1]:,} tokens {reader.name} has no room to write: use a model with a longer context."
        )
    cuda = [model.device] if model.device.type == "cuda" else []
    with torch.inference_mode(), torch.random.fork_rng(cuda):
        torch.manual_seed(int(fingerprint(plan.seed, trace.key.hex(), list(job)), 16) % 2**63)
        written = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            past_key_values=reader.prefix.before(len(begin) - 1, job.size),
            max_new_tokens=room,
            do_sample=True,
            temperature=plan.temperature,
            top_p=plan.top_p,
            top_k=0,
            pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id,
        )
    return [_text(tokenizer, row, ids.shape[1]) for row in written.cpu().numpy()]


def _beginning(tokens: TokenMap, kept: int) -> Any:
    """The tokens of the prompt and of the first `kept` sentences."""
    return tokens.ids[: tokens.starts[kept] if kept < len(tokens.starts) else tokens.ends[-1]]


def _text(tokenizer: Any, row: Any, start: int) -> str:
    """What was written behind `start`; special tokens are left out, other than a closing think tag."""
    own = row[start:]
    ends = np.flatnonzero(own == tokenizer.eos_token_id)
    text = tokenizer.decode(own[: ends[0]] if len(ends) else own, skip_special_tokens=False)
    for token in set(tokenizer.all_special_tokens) - {"<think>", "</think>"}:
        text = text.replace(token, "")
    return str(text)
