"""The front door of the samplers: make one by name, write down how it was made, sample with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from itertools import islice
from typing import TYPE_CHECKING, Any

from antidistill import registry
from antidistill.defenses.choices import key_id
from antidistill.errors import UsageError
from antidistill.sampling.methods.base import Aids, Sampler
from antidistill.sampling.settings import Prompt, Settings
from antidistill.trace import Trace

if TYPE_CHECKING:
    from antidistill.sampling.decode.loop import Writer
    from antidistill.sampling.decode.row import Row

RECORD = "sampling"
"""The key of a trace's meta, and the column of a file, that holds how the trace was made."""


def make(name: str, **options: Any) -> Sampler:
    """The sampler `name` with its options.

    Raises:
        UnknownName: no such method, or no such option of it.
        BadOption: an option out of its range.
    """
    sampler: Sampler = registry.make("samplers", name, **options)
    return sampler


def spec(sampler: Sampler, settings: Settings, aids: Aids | None = None) -> dict[str, Any]:
    """How traces were made: method, options, settings, frame, what the aids are, key id and version; never the key."""
    said = {f.name: getattr(settings, f.name) for f in dataclasses.fields(settings) if f.name not in {"key", "frame"}}
    return {
        **(aids or Aids()).facts(sampler.aids),
        "method": sampler.name,
        "options": {name: getattr(sampler, name) for name in registry.options_of(type(sampler))},
        "settings": {**said, "frame": dataclasses.asdict(settings.frame)},
        "key_id": key_id(settings.key),
        "version": metadata.version("antidistill"),
    }


def sample(
    teacher: Any,
    tokenizer: Any,
    prompts: Iterable[Prompt | str],
    sampler: Sampler,
    settings: Settings | None = None,
    aids: Aids | None = None,
    *,
    about: Mapping[str, Any] | None = None,
    skip: int = 0,
) -> Iterator[Trace]:
    """Traces of a teacher under a white-box defense, in the order of the prompts, yielded batch by batch.

    Each trace has its own chance, from the key, the prompt and the sample, so it does not depend on what else is in the
    batch; what remains is rounding, which differs a little with the size of a batch. With equal settings on the same
    machine a run repeats to the last bit.

    Args:
        teacher: causal language model of transformers, in evaluation mode.
        tokenizer: its tokenizer.
        prompts: what it is asked; plain texts are called after their number, from 1.
        sampler: the method.
        settings: how it samples.
        aids: what the method needs beside the teacher: proxy, gradient, head.
        about: more facts for every record, such as the names of the models.
        skip: traces that are there already: the first of the run, whole batches of them.

    Returns:
        Traces; `meta["sampling"]` holds `spec`, the number of the sample, the tokens of reasoning and answer, those that
        closed a reasoning by force and are in neither, whether the reasoning was closed and how the text ended ("end" or
        "length"). No logits.

    Raises:
        UsageError: the method needs an aid that was not given, or is a mere name; a prompt is neither text nor `Prompt`.
        BadOption: the method and the settings exclude each other.
    """
    from antidistill.sampling.decode.loop import Writer

    if isinstance(sampler, str):
        raise UsageError(f"the sampler {sampler!r} is a name only: give make({sampler!r}), with the method's options.")
    settings = settings or Settings()
    aids = aids or Aids()
    writer = Writer(teacher, tokenizer, sampler, settings, aids)
    return _sampled(prompts, writer, {**spec(sampler, settings, aids), **(about or {})}, settings, skip)


def _sampled(
    prompts: Iterable[Prompt | str], writer: Writer, record: dict[str, Any], settings: Settings, skip: int
) -> Iterator[Trace]:
    every = ((prompt, number) for prompt in _named(prompts) for number in range(settings.samples))
    wanted = islice(every, skip, None)
    while batch := list(islice(wanted, settings.batch)):
        for row in writer.write(batch):
            yield _trace(row, writer, record, settings)


def _named(prompts: Iterable[Prompt | str]) -> Iterator[Prompt]:
    for number, prompt in enumerate(prompts, 1):
        if not isinstance(prompt, str | Prompt):
            raise UsageError(
                f"prompt {number} is {type(prompt).__name__}: give its text, or a Prompt with id and text."
            )
        yield Prompt(str(number), prompt) if isinstance(prompt, str) else prompt


def _trace(row: Row, writer: Writer, record: dict[str, Any], settings: Settings) -> Trace:
    parts = writer.ending.parts(row.tokens)
    sampled = row.cut or row.reasoning
    made = {
        **record,
        "sample": row.sample,
        "reasoning_tokens": sampled,
        "forced_tokens": row.reasoning - sampled,
        "answer_tokens": len(row.tokens) - row.reasoning,
        "closed": parts.closed,
        "ended": row.ended,
    }
    name = row.prompt.id if settings.samples == 1 else f"{row.prompt.id}#{row.sample}"
    return Trace(name, row.prompt.text, parts.reasoning, parts.answer, {RECORD: made})
