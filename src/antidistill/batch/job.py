"""Guards files: from IN, OUT and a method to finished files and a summary, resumable at any point."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from antidistill import defenses
from antidistill.batch.guardian import Settings
from antidistill.batch.ledger import VERSION, LedgerText, header
from antidistill.batch.local import Results, run_here, run_in_processes
from antidistill.batch.preflight import Extent, check_leaks, extent, fingerprint
from antidistill.batch.results import Tally
from antidistill.batch.seal import new_salt
from antidistill.batch.spool import Spool, State
from antidistill.batch.summary import Summary
from antidistill.batch.targets import Targets, check_absent, targets
from antidistill.batch.work import CHUNK_BYTES, Work
from antidistill.errors import BadOption, OutputError
from antidistill.formats import sources
from antidistill.formats.leaks import Leaks
from antidistill.keys import Key, key_beside, key_path, read_key


class Engine(StrEnum):
    """Where the kernel runs."""

    LOCAL = "local"
    RAY = "ray"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to guard and how.

    Attributes:
        source: file, folder or pattern of input files.
        out: output file, or folder for several input files.
        method: name of the defense.
        options: its options.
        mix: guard each trace with this probability only (0 to 1).
        key_file: file with the secret key; None makes one beside the ledger or the output.
        ledger: file for the ledger; None for none.
        ledger_text: what the ledger holds of removed text.
        engine: where to run.
        jobs: number of worker processes, at least 1.
        leaks: what happens to rows that hold more than the reasoning.
        chunk_bytes: input that is guarded, and kept, at once.
        resume: continue an interrupted run.
        force: replace files that are there.
        summary: file that the caller writes the summary to; checked like the others, never written here.
    """

    source: Path
    out: Path
    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    mix: float | None = None
    key_file: Path | None = None
    ledger: Path | None = None
    ledger_text: LedgerText = LedgerText.SEALED
    engine: Engine = Engine.LOCAL
    jobs: int = 1
    leaks: Leaks = Leaks.GUARD
    chunk_bytes: int = CHUNK_BYTES
    resume: bool = False
    force: bool = False
    summary: Path | None = None


class Watcher:
    """Told what a run does; says nothing itself."""

    def on_key(self, key: Key) -> None:
        """The key is known."""

    def on_start(self, extent: Extent, state: State) -> None:
        """The run of an input of this size begins, or goes on from `state`."""

    def on_chunk(self, tally: Tally) -> None:
        """One more chunk is done."""

    def on_end(self, summary: Summary) -> None:
        """The files have their names; what is written here is written again if the run is killed before it ends."""


def guard_files(job: Job, watcher: Watcher | None = None) -> Summary:
    """Guards the files of a job.

    Args:
        job: what to do.
        watcher: told what happens.

    Raises:
        UsageError, InputError, OutputError, KeyFileError: nothing was written, or what was written is kept for --resume.
    """
    watcher = watcher or Watcher()
    _check(job)
    shards = sources(job.source)
    key_file = job.key_file or key_path(job.ledger or job.out)
    files = targets(job.source, shards, job.out, job.ledger, summary=job.summary, reads=[key_file])
    if not (job.force or job.resume):
        check_absent(files)
    check_leaks(shards, job.leaks)
    given = read_key(job.key_file) if job.key_file else None
    with Spool(files) as spool, _kept(given or key_beside(job.ledger or job.out), spool) as key:
        watcher.on_key(key)
        settings = _begin(job, shards, files, key, spool)
        watcher.on_start(extent(shards), spool.state)
        work = Work(tuple(shards), files.packings, settings, spool.state.cursor, job.chunk_bytes)
        summary = _run(job, work, spool, watcher)
        spool.finish()
        watcher.on_end(summary)
        spool.remove()
    return summary


def _check(job: Job) -> None:
    """Raises UsageError for a method, option or number of workers that is not allowed, before any file is touched."""
    defenses.make(job.method, key=bytes(32), mix=job.mix, **job.options)
    if job.jobs < 1:
        raise BadOption("jobs", job.jobs, "a whole number of at least 1")
    if job.engine is Engine.RAY:
        from antidistill.batch.ray import require_ray

        require_ray()


@contextmanager
def _kept(key: Key, spool: Spool) -> Iterator[Key]:
    """A key file that was made for a run goes again if the run fails before it has written anything."""
    try:
        yield key
    except BaseException:
        if key.made and not spool.is_begun:
            key.path.unlink(missing_ok=True)
        raise


def _begin(job: Job, shards: Sequence[Path], files: Targets, key: Key, spool: Spool) -> Settings:
    spec = defenses.spec(defenses.make(job.method, key=key.secret, mix=job.mix, **job.options))
    inputs = [fingerprint(shard, job.leaks) for shard in shards]
    identity = {
        "input": [{**one, "modified": shard.stat().st_mtime_ns} for one, shard in zip(inputs, shards, strict=True)],
        "output": [str(path.absolute()) for path in files.files],
        "method, option or key": orjson.loads(spec),
        "kind of ledger": str(job.ledger_text) if job.ledger else None,
        "policy for leaks": str(job.leaks),
        "version": [VERSION, job.chunk_bytes],
    }
    salt = _resumed(job, spool, identity)
    if salt is None:
        salt = new_salt()
        first = header(spec, key.secret, job.ledger_text, salt, inputs)
        spool.start(identity, salt, first, overwrite=job.force)
    return Settings(spec, key.secret, salt, job.ledger_text if job.ledger else None, job.leaks)


def _resumed(job: Job, spool: Spool, identity: Mapping[str, Any]) -> bytes | None:
    """The salt of an interrupted run that goes on, or None for a fresh start."""
    if job.force and not job.resume:
        return None
    if not job.resume and spool.interrupted:
        raise OutputError(
            f"an interrupted run of {job.out} is there: continue it with --resume, or start again with --force."
        )
    return spool.resume(identity, overwrite=job.force)


def _run(job: Job, work: Work, spool: Spool, watcher: Watcher) -> Summary:
    started = time.perf_counter()
    fresh = Tally()
    if not spool.state.whole:
        for after, done in _engine(job)(work):
            spool.append(after, done)
            fresh.add(done.tally)
            watcher.on_chunk(done.tally)
    return Summary(spool.state.tally, fresh.bytes, time.perf_counter() - started, work.settings.spec)


def _engine(job: Job) -> Callable[[Work], Results]:
    if job.engine is Engine.RAY:
        from antidistill.batch.ray import run_on_ray

        return run_on_ray
    return run_here if job.jobs == 1 else partial(run_in_processes, jobs=job.jobs)
