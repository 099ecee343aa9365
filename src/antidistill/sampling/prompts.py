"""Reads prompts: from files that have a column for them; of traces, the prompts are asked anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from antidistill.errors import InputError, RowError
from antidistill.formats.columns import IDS, PROMPTS, folded
from antidistill.formats.files import numbered_rows, place, sources
from antidistill.sampling.settings import Prompt, Settings, plain_ids


def read_prompts(path: str | Path) -> Iterator[Prompt]:
    """The prompts of a file, a folder of shards or a pattern, in order.

    The prompt is in the first column of prompt, question, problem and their kin that holds text. Its id is that of the row
    where there is one, else the number of the row in its file.

    Raises:
        InputError: a file is missing, damaged or of a kind that is not read.
        RowError: a row has no prompt; the message says which.
    """
    for file in sources(path):
        for number, row in numbered_rows(file):
            named = {folded(column): value for column, value in row.items()}
            text = next((named[name] for name in PROMPTS if isinstance(named.get(name), str)), None)
            if not text:
                given = ", ".join(map(str, row)) or "none"
                raise RowError(
                    f"{place(file, number)} holds no prompt: its columns are {given}; name one of them prompt."
                )
            name = next((named[name] for name in IDS if named.get(name) is not None), number)
            yield Prompt(str(name), text)


def check_fit(teacher: Any, tokenizer: Any, prompts: Sequence[Prompt], settings: Settings) -> None:
    """Checks that the teacher can read each prompt and the longest reasoning and answer behind it.

    Beyond its context some models fail, and others go on with garbage.

    Raises:
        InputError: some prompts are too long; the message counts them and names the longest.
    """
    limit = getattr(teacher.config.get_text_config(), "max_position_embeddings", None)
    if limit is None:
        return
    frame = settings.frame
    forced = len(plain_ids(tokenizer, frame.closing + frame.forcing)) if frame.forcing else 0
    written = settings.reasoning_tokens + forced + settings.answer_tokens
    lengths = [(len(frame.prompt_ids(tokenizer, prompt)), prompt.id) for prompt in prompts]
    long = [(length, name) for length, name in lengths if length + written > limit]
    if long:
        length, name = max(long)
        raise InputError(
            f"{len(long)} of {len(prompts)} prompts are too long: {name} has {length:,} tokens, up to {written:,} are written "
            f"behind it, and the teacher reads {limit:,}; write fewer, or leave those prompts out."
        )
