"""The account of a chunk: every row is counted once, and stands in the ledger or among the rejected rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from antidistill.batch.edited import NO_TRACE, Edited, guarded_places, removed_sentences
from antidistill.batch.guardian import Guardian
from antidistill.batch.quick.way import Counts, count
from antidistill.batch.results import Tally


class Account:
    """Collects the account of some rows of one shard.

    Attributes:
        ledger: ledger lines so far, one or more in each piece.
        rejected: records of rejected rows so far.
        tally: counts so far.
        shard: number of the shard.
    """

    def __init__(self, guardian: Guardian, shard: int) -> None:
        self.ledger: list[bytes] = []
        self.rejected: list[bytes] = []
        self.tally = Tally()
        self.shard = shard
        self._guardian = guardian

    def accept(self, row: int, edited: Sequence[Edited], whole_row: bytes | None = None) -> None:
        """Enters a row that comes out.

        Args:
            row: number of the row in its shard, from 1.
            edited: its traces.
            whole_row: the row as it came, where its edits alone would not give it back.
        """
        edited = edited or (NO_TRACE,)
        self._count(edited)
        recorder = self._guardian.recorder
        if recorder is None:
            return
        for number, (one, places) in enumerate(zip(edited, guarded_places(edited), strict=True)):
            self.ledger.append(
                recorder.line(self.shard, row, number, one, places, self._guardian.reason(one), whole_row)
            )
            whole_row = None  # stands in the first line of its row only

    def add(self, ledger: bytes, counts: Counts) -> None:
        """Enters rows that the quick way did."""
        if ledger:
            self.ledger.append(ledger)
        count(counts, self.tally)

    def reject(self, row: int, reason: str, raw: dict[str, Any]) -> None:
        """Enters a row that does not come out; `raw` holds the row as it came."""
        record = {"shard": self.shard, "line": row, "reason": reason, **raw}
        self.rejected.append(orjson.dumps(record) + b"\n")
        self.tally.reject(reason)
        if self._guardian.recorder is not None:
            self.ledger.append(self._guardian.recorder.rejected(self.shard, row, reason))

    def _count(self, edited: Sequence[Edited]) -> None:
        tally = self.tally
        changed = False
        for one in edited:
            length = len(one.found.trace.reasoning)
            tally.traces += one is not NO_TRACE
            tally.characters += length
            if one.edits:
                changed = True
                tally.edits += len(one.edits)
                tally.removed += length - len(one.guarded)
                tally.removed_sentences += removed_sentences(one)
        if changed:
            tally.guarded += 1
        else:
            tally.unchanged += 1
            tally.reasons[self._guardian.reason(edited[0])] += 1
