"""What `guard` tells while it runs, on stderr: the key, the rate and the time left, and the summary."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar

from antidistill.batch.job import Watcher
from antidistill.batch.preflight import Extent
from antidistill.batch.results import Tally
from antidistill.batch.spool import State
from antidistill.batch.summary import Summary
from antidistill.cli.output import write_json
from antidistill.keys import Key

_SECONDS_BETWEEN_LINES = 10.0


class Progress(Watcher):
    """Shows a run: as a bar in a terminal, as a line now and then elsewhere; `json` is where the summary goes."""

    def __init__(self, json: str | None) -> None:
        self._json = json
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        columns = (TextColumn("guarding"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=self._console, transient=True)
        self._shown: AbstractContextManager[Any] = self._bar if self._console.is_terminal else nullcontext()
        self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES

    def __enter__(self) -> Progress:
        self._shown.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.__exit__(kind, error, trace)

    def on_key(self, key: Key) -> None:
        """Names a key file that is new."""
        if key.made:
            self._say(f"new key: {key.path} (keep it private and safe: it opens the ledger and repeats the edits)")

    def on_start(self, extent: Extent, state: State) -> None:
        """Begins to count."""
        if state.tally.rows:
            self._say(f"resumed after {state.tally.rows:,} rows.")
        self._extent, self._rows = extent, state.tally.rows
        self._task = self._bar.add_task("", total=extent.bytes, completed=state.tally.bytes)

    def on_chunk(self, tally: Tally) -> None:
        """Counts on; where the number of rows is known, it tells better than the metadata how many bytes there are."""
        self._bar.advance(self._task, tally.bytes)
        self._rows += tally.rows
        if self._extent.rows and self._rows:
            completed = self._bar.tasks[self._task].completed
            self._bar.update(self._task, total=completed * self._extent.rows / self._rows)
        if not self._console.is_terminal and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES
            self._say(self._line())

    def on_end(self, summary: Summary) -> None:
        """Says what came out."""
        self._bar.update(self._task, visible=False)
        for line in summary.lines():
            self._say(line)
        if self._json is not None:
            write_json(self._json, summary.to_json())

    def _line(self) -> str:
        task = self._bar.tasks[self._task]
        rate = f"{(task.speed or 0) / 1e6:.0f} MB/s"
        left = "" if task.time_remaining is None else f", {task.time_remaining:.0f} s left"
        return f"{task.completed / 1e6:,.0f} MB, {rate}{left}"

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)
