"""Guards one row: finds its traces and edits them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from antidistill import defenses
from antidistill.batch.edited import Edited, changes
from antidistill.batch.ledger import LedgerText, Recorder
from antidistill.batch.quick.way import QuickWay
from antidistill.batch.seal import Sealer
from antidistill.defenses import Mix
from antidistill.errors import AntidistillError, RowError
from antidistill.formats import Change, Found, KeyPath, Row
from antidistill.formats.leaks import Leaks, Settled, locate_and_settle
from antidistill.trace import Span, apply_spans

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


Given: TypeAlias = Row | AntidistillError | None
Outcome: TypeAlias = GuardedRow | AntidistillError | None


class Guardian:
    """Guards rows by one defense.

    Attributes:
        leaks: what happens to rows that hold more than the reasoning.
        recorder: writes ledger lines, if there is a ledger.
        quick: does plain rows in fewer steps.
    """

    def __init__(self, settings: Settings) -> None:
        self._defense = defenses.from_spec(settings.spec, settings.key)
        self.leaks = settings.leaks
        self.recorder: Recorder | None = None
        if settings.ledger is not None:
            sealer = Sealer(settings.key, settings.salt) if settings.ledger is LedgerText.SEALED else None
            self.recorder = Recorder(defenses.spec_hash(settings.spec), settings.ledger, sealer)
        ending = (self.recorder.rest, self.recorder.encrypt) if self.recorder else (None, None)
        self.quick = QuickWay(self._defense, defenses.spec_hash(settings.spec), ending, NOTHING, self._why)

    def guard(self, rows: Iterable[Given], before: int) -> list[Outcome]:
        """What the defense does to each of some rows; step by step over all of them, which is faster than row by row.

        Args:
            rows: the rows; an error or None in place of a row is passed on.
            before: number of rows of the shard before these; a trace whose row has no id is called after its number.

        Returns:
            For each row what is to be done to it, or why it is rejected: it is not of a known dialect, it would betray the
            edits, or the defense failed.
        """
        located = [_attempt(self._locate, row, number) for number, row in enumerate(rows, before + 1)]
        chosen = [_attempt(self._choose, one) for one in located]
        return [_carried_out(one) if type(one) is _Chosen else one for one in chosen]

    def reason(self, edited: Edited) -> str:
        """Why a trace is unchanged; empty if it is not."""
        if edited.edits:
            return ""
        if not edited.found.places:
            return NO_REASONING
        if not edited.found.trace.reasoning.strip():
            return EMPTY
        return self._why(edited.found.trace.key)

    def _why(self, trace_key: bytes) -> str:
        """Why a trace with reasoning is unchanged."""
        return NOT_DRAWN if isinstance(self._defense, Mix) and not self._defense.guards(trace_key) else NOTHING

    def _locate(self, row: Row, number: int) -> _Located:
        return _Located(row, locate_and_settle(row, str(number), self.leaks))

    def _choose(self, one: _Located) -> _Chosen:
        traces = [found.trace for found in one.settled.found]
        edits = [defenses.spans(self._defense, trace.reasoning, trace.key) for trace in traces]
        return _Chosen(one, edits)


class _Located(NamedTuple):
    row: Row
    settled: Settled


class _Chosen(NamedTuple):
    located: _Located
    edits: Sequence[list[Span]]


def _carried_out(chosen: _Chosen) -> GuardedRow:
    (row, (found, removed)), edits = chosen
    edited = [_edited(one, its_edits) for one, its_edits in zip(found, edits, strict=True)]
    return GuardedRow(edited, changes(row, edited), removed)


def _edited(one: Found, edits: list[Span]) -> Edited:
    text = one.trace.reasoning
    return Edited(one, edits, *(apply_spans(text, edits) if edits else (text, "")))


def _attempt(step: Callable[..., Any], given: Any, *more: Any) -> Any:
    """What a step makes of a row; an error stays, and an error of the step takes the place of the row."""
    if given is None or isinstance(given, AntidistillError):
        return given
    try:
        return step(given, *more)
    except AntidistillError as error:
        return error
    except Exception as error:
        return RowError(f"the row could not be read ({type(error).__name__}): report its shape as a fault.")
