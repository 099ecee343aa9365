"""Reads prompts: from files that have a column for them; of traces, the prompts are asked anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from antidistill.errors import RowError
from antidistill.formats.columns import IDS, PROMPTS, folded
from antidistill.formats.files import numbered_rows, place, sources
from antidistill.sampling.settings import Prompt


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
