"""Traces on disk while they are written: a run that was killed goes on and gives the same file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from antidistill.errors import OutputError, UsageError
from antidistill.sampling.front import RECORD, sample, spec
from antidistill.sampling.methods.base import Aids, Sampler
from antidistill.sampling.prompts import check_fit
from antidistill.sampling.settings import Prompt, Settings
from antidistill.trace import Trace


@dataclass(slots=True)
class Count:
    """What a file of traces holds.

    Attributes:
        traces: all of them.
        closed: those whose reasoning was closed.
        ended: those that the teacher ended itself.
        reasoning_tokens, answer_tokens: sums.
        resumed: traces that were there before this run.
    """

    traces: int = 0
    closed: int = 0
    ended: int = 0
    reasoning_tokens: int = 0
    answer_tokens: int = 0
    resumed: int = 0

    def add(self, record: Mapping[str, Any]) -> None:
        """Counts one trace by its record."""
        self.traces += 1
        self.closed += record["closed"]
        self.ended += record["ended"] == "end"
        self.reasoning_tokens += record["reasoning_tokens"]
        self.answer_tokens += record["answer_tokens"]


def write_traces(
    out: Path,
    teacher: Any,
    tokenizer: Any,
    prompts: Sequence[Prompt],
    sampler: Sampler,
    settings: Settings,
    aids: Aids | None = None,
    *,
    about: Mapping[str, Any] | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Callable[[Count], None] = lambda count: None,
) -> Count:
    """Samples one JSON line per trace into `out`: id, prompt, reasoning, answer and how it was made.

    Lines are added batch by batch, in one write that is on disk before the next batch begins. A resumed run cuts off a torn
    batch and writes that batch again from its start, since batches of another make-up would round differently.

    Args:
        out: the file, whose name ends in .jsonl.
        teacher: causal language model.
        tokenizer: its tokenizer.
        prompts: all prompts of the run, also on resumption.
        sampler: the method.
        settings: how it samples.
        aids: what the method needs beside the teacher.
        about: more facts for every record, such as the names of the models.
        resume: whether a file that is there is gone on with.
        force: whether it is replaced.
        progress: called after each batch.

    Raises:
        OutputError: the file is there already, or cannot be written.
        UsageError: the file to go on with was made in another way, or of other prompts.
        InputError: a prompt is too long for the teacher.
    """
    if out.suffix != ".jsonl":
        raise OutputError(f"{out} is not written: traces are written line by line, so its name must end in .jsonl.")
    if out.exists() and not (resume or force):
        raise OutputError(
            f"{out} is there already: choose another name, go on with --resume or replace it with --force."
        )
    aids = aids or Aids()
    record = {**spec(sampler, settings, aids), **(about or {})}
    check_fit(teacher, tokenizer, prompts, settings)
    count = Count()
    kept = _kept(out, prompts, settings, record, count) if resume and not force and out.exists() else 0
    found = sample(teacher, tokenizer, prompts, sampler, settings, aids, about=about, skip=count.traces)
    batch = list(islice(found, settings.batch))  # what is wrong shows here, before the file is touched
    try:
        with out.open("r+b" if kept else "wb") as file:
            file.truncate(kept)
            file.seek(kept)
            while batch:
                _append(file.fileno(), batch, count)
                progress(count)
                batch = list(islice(found, settings.batch))
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written ({error.strerror or error}); give a file in a folder that can be."
        ) from error
    return count


def check_target(out: Path, resume: bool, force: bool) -> None:
    """Raises OutputError unless traces may be written to `out`."""
    if out.suffix != ".jsonl":
        raise OutputError(f"{out} is not written: traces are written line by line, so its name must end in .jsonl.")
    if out.exists() and not (resume or force):
        raise OutputError(
            f"{out} is there already: choose another name, go on with --resume or replace it with --force."
        )


def _append(descriptor: int, batch: Sequence[Trace], count: Count) -> None:
    lines = b"".join(orjson.dumps(_row(trace), option=orjson.OPT_APPEND_NEWLINE) for trace in batch)
    while lines:
        lines = lines[os.write(descriptor, lines) :]
    os.fsync(descriptor)
    for trace in batch:
        count.add(trace.meta[RECORD])


def _row(trace: Trace) -> dict[str, Any]:
    return {"id": trace.id, "prompt": trace.prompt, "reasoning": trace.reasoning, "answer": trace.answer, **trace.meta}


def _kept(out: Path, prompts: Sequence[Prompt], settings: Settings, record: Mapping[str, Any], count: Count) -> int:
    """Bytes of the whole batches in a file, counted; the rest is torn."""
    wanted = len(prompts) * settings.samples
    rows = list(_whole_lines(out))
    whole = len(rows) if len(rows) >= wanted else len(rows) // settings.batch * settings.batch
    for number, (row, _) in enumerate(rows[:whole]):
        prompt = prompts[number // settings.samples].text if number < wanted else None
        if row.get("prompt") != prompt:
            raise UsageError(
                f"{out}, line {number + 1} answers another prompt than this run has: give the same prompts."
            )
        made = row.get(RECORD, {})
        other = sorted(name for name in record if made.get(name) != _as_json(record[name]))
        if other:
            raise UsageError(
                f"{out} was made with another {', '.join(other)}: resume with the same, or name another file."
            )
        count.add(made)
    count.resumed = whole
    return rows[whole - 1][1] if whole else 0


def _whole_lines(out: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Rows and where they end, up to a line that is torn."""
    with out.open("rb") as file:
        for line in file:
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                return
            if not line.endswith(b"\n"):
                return
            yield row, file.tell()


def _as_json(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))
