"""Guards one row: finds its traces and edits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from antidistill import defenses
from antidistill.batch.edited import Edited, changes, cut
from antidistill.batch.ledger import LedgerText, Recorder
from antidistill.batch.seal import Sealer
from antidistill.defenses import Mix
from antidistill.errors import AntidistillError, RowError
from antidistill.formats import Change, Found, KeyPath, Row, locate
from antidistill.formats.leaks import Leaks, settle

NOTHING = "nothing to edit"
EMPTY = "empty reasoning"
NO_REASONING = "no reasoning"
NOT_DRAWN = "not drawn by mix"


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a worker needs to guard rows; travels to other processes.

    Attributes:
        spec: the JSON that rebuilds the defense.
        key: content of the key file.
        salt: salt of the ledger.
        ledger: what the ledger holds of removed text; None for no ledger.
        leaks: what happens to rows that hold more than the reasoning.
    """

    spec: str
    key: bytes
    salt: bytes = b""
    ledger: LedgerText | None = None
    leaks: Leaks = Leaks.GUARD


class GuardedRow(NamedTuple):
    """What is to be done to a row.

    Attributes:
        edited: its traces.
        changes: strings that change.
        removed: paths of values that would betray the edits and go.
    """

    edited: Sequence[Edited]
    changes: Sequence[Change]
    removed: Sequence[KeyPath]


class Guardian:
    """Guards rows by one defense.

    Attributes:
        leaks: what happens to rows that hold more than the reasoning.
        recorder: writes ledger lines, if there is a ledger.
    """

    def __init__(self, settings: Settings) -> None:
        self._defense = defenses.from_spec(settings.spec, settings.key)
        self.leaks = settings.leaks
        self.recorder: Recorder | None = None
        if settings.ledger is not None:
            sealer = Sealer(settings.key, settings.salt) if settings.ledger is LedgerText.SEALED else None
            self.recorder = Recorder(defenses.spec_hash(settings.spec), settings.ledger, sealer)

    def guard(self, row: Row, name: str) -> GuardedRow:
        """What the defense does to a row.

        Args:
            row: the row.
            name: name of a trace whose row has no id.

        Raises:
            RowError: the row is not of a known dialect, or it would betray the edits.
            DefenseError: the defense failed.
        """
        try:
            found = locate(row, name)
            removed = settle(row, found, self.leaks)
            edited = [self._edited(one) for one in found]
            what = changes(row, edited)
        except AntidistillError:
            raise
        except Exception as error:
            raise RowError(
                f"the row could not be read ({type(error).__name__}): report its shape as a fault."
            ) from error
        return GuardedRow(edited, what, removed)

    def reason(self, edited: Edited) -> str:
        """Why a trace is unchanged; empty if it is not."""
        if edited.edits:
            return ""
        if not edited.found.places:
            return NO_REASONING
        if not edited.found.trace.reasoning.strip():
            return EMPTY
        if isinstance(self._defense, Mix) and not self._defense.guards(edited.found.trace.key):
            return NOT_DRAWN
        return NOTHING

    def _edited(self, found: Found) -> Edited:
        trace = found.trace
        edits = defenses.edit(self._defense, trace.reasoning, trace.key)
        return Edited(found, edits, *cut(trace.reasoning, edits)) if edits else Edited(found, (), trace.reasoning, ())
