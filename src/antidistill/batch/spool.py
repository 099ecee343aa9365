"""The files of a run while it runs: appended chunk by chunk in a hidden folder beside the output, renamed when all is done.

These files hold no more than the finished ones: guarded rows, ledger rows, rejected rows. A run that is killed at any point
leaves files that may be longer than the journal says; they are cut to what it says and the run goes on from there.
"""

from __future__ import annotations

import binascii
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from antidistill.batch.drafts import Draft, explained
from antidistill.batch.journal import Journal, check_same_job
from antidistill.batch.results import Cursor, Done, Tally
from antidistill.batch.rowgroups import MAGIC, joined_footer
from antidistill.batch.targets import Targets
from antidistill.errors import OutputError

LEDGER, REJECTED = "ledger", "rejected"


@dataclass(slots=True)
class State:
    """How far a run is; everything before `cursor` is done."""

    cursor: Cursor = field(default_factory=Cursor)
    tally: Tally = field(default_factory=Tally)
    footers: dict[int, list[tuple[bytes, int]]] = field(default_factory=dict)
    whole: bool = False


class Spool:
    """The files of one run; a context manager that closes them."""

    def __init__(self, targets: Targets) -> None:
        self.folder = targets.out.with_name(f".{targets.out.name}.guarding")
        self.state = State()
        self._overwrite = self._started = False
        self._drafts = {str(n): Draft(self.folder / f"{n:05d}", path) for n, path in enumerate(targets.shards)}
        self._drafts[REJECTED] = Draft(self.folder / "rejected", targets.rejected, private=True)
        if targets.ledger is not None:
            draft = targets.ledger.with_name(f".{targets.ledger.name}.guarding")
            self._drafts[LEDGER] = Draft(draft, targets.ledger, private=True)
        with explained(self.folder):
            self.folder.mkdir(0o700, exist_ok=True)
            self._journal = Journal(self.folder / "journal.jsonl")

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        for draft in self._drafts.values():
            draft.close()
        if not self.is_begun:
            self._journal.rewrite([])
            for draft in self._drafts.values():
                draft.drop()
        if self.folder.exists() and not self.interrupted:
            self.remove()
        self._journal.close()

    @property
    def is_begun(self) -> bool:
        """True if there is something that a later run can go on from."""
        return self.state.whole or self.state.cursor != Cursor() or (self.interrupted and not self._started)

    @property
    def interrupted(self) -> bool:
        """True if an earlier run was interrupted here."""
        return bool(self._journal.records())

    def resume(self, job: Mapping[str, Any], overwrite: bool) -> bytes | None:
        """Continues an interrupted run: sets `state` to what is done.

        Args:
            job: what makes two runs the same.
            overwrite: other files may have the final names, even if the interrupted run did not allow it.

        Returns:
            The salt of the interrupted run, or None if there is nothing to continue.

        Raises:
            UsageError: the interrupted run was another job.
        """
        records = self._journal.records()
        if not records:
            return None
        first, *chunks = records
        check_same_job(first["job"], dict(job))
        self._overwrite = first["overwrite"] or overwrite
        self.state.whole = bool(chunks) and "whole" in chunks[-1]
        if not self.state.whole:
            chunks = self._on_disk(chunks)
            self._journal.rewrite([first, *chunks])
        self._set_ends(first)
        for record in chunks:
            self._replay(record)
        return bytes.fromhex(first["salt"])

    def start(self, job: Mapping[str, Any], salt: bytes, header: bytes, overwrite: bool) -> None:
        """Begins a run from the beginning; what an earlier one left is dropped.

        Args:
            job: what makes two runs the same.
            salt: salt of the ledger.
            header: first line of the ledger.
            overwrite: other files may have the final names; otherwise only equal ones.
        """
        self._journal.rewrite([])
        self._started = True
        self._overwrite = overwrite
        for draft in self._drafts.values():
            draft.drop()
        ends = {}
        if LEDGER in self._drafts:
            self._drafts[LEDGER].append(header)
            ends[LEDGER] = len(header)
        self._journal.append({"job": job, "salt": salt.hex(), "overwrite": overwrite, "ends": ends})

    def append(self, after: Cursor, done: Done) -> None:
        """Adds what one chunk gave; the next one begins at `after`."""
        shard = self.state.cursor.shard
        out = self._drafts[str(shard)]
        record: dict[str, Any] = {"after": tuple(after), "tally": done.tally.to_json()}
        if done.footer:
            if not out.end:
                out.append(MAGIC)
            record |= {"footer": binascii.b2a_base64(done.footer, newline=False).decode(), "start": out.end}
        out.append(done.out)
        self._drafts[REJECTED].append(done.rejected)
        if LEDGER in self._drafts:
            self._drafts[LEDGER].append(done.ledger)
        record["ends"] = {
            name: self._drafts[name].end for name in (str(shard), REJECTED, LEDGER) if name in self._drafts
        }
        self._journal.append(record)
        self._advance(record, done.tally, done.footer)
        if after.shard != shard:
            out.settle()

    def finish(self) -> None:
        """Completes the files and gives them their names; may be called again after any interruption.

        Raises:
            OutputError: another file has the name of an output and may not be replaced.
        """
        if not self.state.whole:
            self._complete()
        rest = [draft for name, draft in self._drafts.items() if name in (LEDGER, REJECTED)]
        shards = [draft for draft in self._drafts.values() if draft not in rest]
        different = [] if self._overwrite else [draft.final for draft in shards if not draft.fits_final()]
        if different:
            raise OutputError(
                f"{different[0]} is there and differs from what this run gives: choose another OUT, or --force to replace it."
            )
        if not self.state.tally.rejected:
            self._drafts[REJECTED].drop()
            if self._overwrite:
                self._drafts[REJECTED].final.unlink(missing_ok=True)
        for draft in rest + shards:
            draft.publish()

    def remove(self) -> None:
        """Removes the hidden folder, once nothing in it is needed."""
        shutil.rmtree(self.folder)

    def _on_disk(self, chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The chunks whose bytes are all there; a power cut may have taken the last ones."""
        sizes = {name: draft.size() for name, draft in self._drafts.items()}
        return list(takewhile(lambda record: all(sizes[name] >= end for name, end in record["ends"].items()), chunks))

    def _replay(self, record: dict[str, Any]) -> None:
        if "whole" in record:
            return
        self._set_ends(record)
        self._advance(record, Tally.from_json(record["tally"]), binascii.a2b_base64(record.get("footer", "")))

    def _set_ends(self, record: dict[str, Any]) -> None:
        for name, end in record["ends"].items():
            self._drafts[name].end = end

    def _advance(self, record: dict[str, Any], tally: Tally, footer: bytes) -> None:
        state = self.state
        if footer:
            state.footers.setdefault(state.cursor.shard, []).append((footer, record["start"]))
        state.cursor = Cursor(*record["after"])
        state.tally.add(tally)

    def _complete(self) -> None:
        for shard, footers in self.state.footers.items():
            self._drafts[str(shard)].append(joined_footer(footers))
        for draft in self._drafts.values():
            draft.settle()
        self._journal.append({"whole": True})
        self._journal.sync()
        self.state.whole = True
