"""Which files a run writes, and that it may: nothing is overwritten by accident, least of all the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from antidistill.errors import OutputError, UsageError
from antidistill.formats.files import SUFFIXES, is_parquet, packing_of


@dataclass(frozen=True, slots=True)
class Targets:
    """Where the finished files belong.

    Attributes:
        out: the output file or folder.
        shards: the output files, one for each input file.
        rejected: file for rejected rows; written only if there are any.
        ledger: file for the ledger, if one is wanted.
        summary: file that the caller writes when the run is over, if it writes one.
    """

    out: Path
    shards: Sequence[Path]
    rejected: Path
    ledger: Path | None
    summary: Path | None = None

    @property
    def files(self) -> list[Path]:
        """All files that the run itself may write."""
        return [*self.shards, self.rejected, *([self.ledger] if self.ledger else [])]

    @property
    def packings(self) -> tuple[str | None, ...]:
        """By shard, how the output is compressed: "gzip", "zstd" or not at all."""
        return tuple(map(packing_of, self.shards))


def targets(
    source: Path,
    shards: Sequence[Path],
    out: Path,
    ledger: Path | None,
    *,
    summary: Path | None = None,
    reads: Sequence[Path] = (),
) -> Targets:
    """The files that a run writes: one file for a file, a folder with the same names for a folder or a pattern.

    Args:
        source: what the user named as input.
        shards: the files that it names.
        out: what the user named as output.
        ledger: what the user named as ledger.
        summary: what the user named for the summary.
        reads: other files that the run needs, a key for instance.

    Raises:
        UsageError: a file would be both read and written, or written twice, or input and output do not fit each other.
        OutputError: the folder of an output is missing.
    """
    outputs = [out] if source.is_file() else _in_folder(source, shards, out)
    if source.is_dir() and source.resolve() in out.resolve().parents:
        raise UsageError(f"{out} lies in {source}, so the next run would take it for input: write beside {source}.")
    for shard, output in zip(shards, outputs, strict=True):
        _check_kind(shard, output)
    result = Targets(out, outputs, out.with_name(f"{out.name}.rejected.jsonl"), ledger, summary)
    _check_apart([*shards, *reads], _named(result))
    for path in filter(None, [out, ledger, summary]):
        if not path.absolute().parent.is_dir():
            raise OutputError(f"the folder of {path} does not exist: make it first, or choose another place.")
    return result


def check_absent(files: Targets) -> None:
    """Raises OutputError if a file that would be written is there already."""
    there = [path for path in _named(files) if path.exists()]
    if there:
        raise OutputError(f"{there[0]} exists: choose another name, or pass --force to replace it.")


def _in_folder(source: Path, shards: Sequence[Path], out: Path) -> list[Path]:
    if out.is_file() or out.name.lower().endswith(SUFFIXES):
        raise UsageError(f"{source} names {len(shards)} files, so OUT must be a folder, not the file {out}.")
    names = [shard.relative_to(source) if source.is_dir() else Path(shard.name) for shard in shards]
    twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    if twice:
        raise UsageError(f"{source} matches several files named {twice.pop()}: give their common folder as IN instead.")
    return [out / name for name in names]


def _check_kind(shard: Path, output: Path) -> None:
    if output.is_dir():
        raise UsageError(f"{shard} is a file, so OUT must be a file too; {output} is a folder.")
    if not output.name.lower().endswith(SUFFIXES) or is_parquet(shard) != is_parquet(output):
        kind = ".parquet" if is_parquet(shard) else ".jsonl, .jsonl.gz or .jsonl.zst"
        raise UsageError(
            f"{shard.name} cannot become {output.name}: guarding keeps the kind of file, so OUT must end in {kind}."
        )


def _named(files: Targets) -> list[Path]:
    return [*files.files, *([files.summary] if files.summary else [])]


def _check_apart(reads: Sequence[Path], writes: Sequence[Path]) -> None:
    inputs = {path.resolve() for path in reads}
    seen: set[Path] = set()
    for path in writes:
        place = path.resolve()
        if place in inputs:
            raise UsageError(f"{path} is an input file: write to another place, the originals are not replaced.")
        if place in seen:
            raise UsageError(f"{path} is named twice: output, ledger and summary must be different files.")
        seen.add(place)
