"""What an engine is given: the input, how its rows are guarded, and where to begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from antidistill.batch.guardian import Settings
from antidistill.batch.results import Cursor

CHUNK_BYTES = 1 << 20
"""Small enough for the processor's cache; larger chunks are slower."""


@dataclass(frozen=True, slots=True)
class Work:
    """All that an engine needs; travels to other processes.

    Attributes:
        shards: the input files.
        packings: by shard, how its output is compressed: "gzip", "zstd" or not at all.
        settings: how rows are guarded.
        start: everything before it is done.
        chunk_bytes: bytes of a chunk of lines; a longer line makes a longer chunk.
    """

    shards: Sequence[Path]
    packings: Sequence[str | None]
    settings: Settings
    start: Cursor = Cursor()  # noqa: RUF009, a tuple
    chunk_bytes: int = CHUNK_BYTES

    @property
    def group_bytes(self) -> int:
        """A Parquet row group up to this size (uncompressed) is one chunk; a larger one is cut into parts."""
        return 64 * self.chunk_bytes

    @property
    def part_bytes(self) -> int:
        """Size of the parts of a large row group."""
        return 8 * self.chunk_bytes
