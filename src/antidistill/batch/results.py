"""What guarding gives: bytes for each file, and counts that add up over chunks, workers and interruptions."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import pyarrow as pa

_NUMBER = re.compile(r"\b\d+\b")


class Cursor(NamedTuple):
    """A place in the input, between two rows.

    Attributes:
        shard: number of the shard, from 0.
        row: lines (JSONL) or rows (Parquet) of the shard before the place.
    """

    shard: int = 0
    row: int = 0


@dataclass(slots=True)
class Tally:
    """Counts of guarded, unchanged and rejected rows.

    Attributes:
        guarded: rows in which at least one reasoning was edited.
        unchanged: rows that came out as they came in; `reasons` says why.
        rejected: rows that are not in the output; `rejections` says why.
        traces: reasonings in guarded and unchanged rows.
        characters: characters of those reasonings before guarding.
        removed: characters that their edits removed, less those that they put in.
        removed_sentences: sentences that their edits removed.
        edits: number of edits.
        bytes: size of the input that was read, decompressed.
    """

    guarded: int = 0
    unchanged: int = 0
    rejected: int = 0
    traces: int = 0
    characters: int = 0
    removed: int = 0
    removed_sentences: int = 0
    edits: int = 0
    bytes: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """All input rows."""
        return self.guarded + self.unchanged + self.rejected

    @property
    def removed_share(self) -> float:
        """Removed characters by reasoning characters, 0 to 1; 0 where there is no reasoning."""
        return self.removed / self.characters if self.characters else 0.0

    def reject(self, reason: str) -> None:
        """Counts a rejected row; reasons that differ in numbers only are one."""
        self.rejected += 1
        self.rejections[_NUMBER.sub("…", reason)] += 1

    def add(self, other: Tally) -> None:
        """Adds the counts of another part."""
        for entry in fields(self):
            mine, more = getattr(self, entry.name), getattr(other, entry.name)
            if isinstance(mine, Counter):
                mine.update(more)
            else:
                setattr(self, entry.name, mine + more)

    def to_json(self) -> dict[str, Any]:
        """The counts that are not zero, as a record that `from_json` reads."""
        return {entry.name: value for entry in fields(self) if (value := getattr(self, entry.name))}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Tally:
        """The counts of a record."""
        tally = cls(**record)
        tally.reasons, tally.rejections = Counter(tally.reasons), Counter(tally.rejections)
        return tally


@dataclass(frozen=True, slots=True)
class Done:
    """What guarding one chunk gave: bytes for each file.

    Attributes:
        out: guarded rows, as the output file holds them.
        ledger: ledger lines.
        rejected: lines of the rejected rows.
        tally: counts.
        footer: Parquet only: where the columns of `out` lie.
    """

    out: bytes | pa.Buffer
    ledger: bytes
    rejected: bytes
    tally: Tally
    footer: bytes = b""
