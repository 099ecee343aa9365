"""Outputs of an evaluation on disk, so that one that was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import orjson

from antidistill.distill.generate import Output

_Name = tuple[str, int]


class Outputs:
    """Outputs by kind, question and sample, one JSON line each; kept in memory only where there is no folder."""

    def __init__(self, folder: Path | None) -> None:
        self._file = folder / "outputs.jsonl" if folder else None

    def read(self, kind: str) -> dict[_Name, Output]:
        """The outputs of a kind; a line that was cut off does not count."""
        found: dict[_Name, Output] = {}
        if self._file is None or not self._file.exists():
            return found
        for line in self._file.read_bytes().splitlines():
            with suppress(orjson.JSONDecodeError):
                row = orjson.loads(line)
                if row["kind"] == kind:
                    found[row["question"], row["sample"]] = Output(row["text"], row["tokens"], row["ended"])
        return found

    def add(self, kind: str, outputs: Mapping[_Name, Output]) -> None:
        """Adds the outputs of one batch."""
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        rows = ({"kind": kind, "question": q, "sample": s, **out._asdict()} for (q, s), out in outputs.items())
        with self._file.open("ab+") as file:
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":  # a line that was cut off must not swallow the next one
                    file.write(b"\n")
            file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
