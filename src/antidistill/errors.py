"""Every error that the project raises on purpose.

AntidistillError
├── UsageError              the call is wrong: nothing was written                    (exit 2)
│   ├── UnknownName         a method, option, scorer … that does not exist
│   ├── BadOption           an option out of its range
│   ├── MissingOption       an option that has to be given
│   ├── BadPolicy           a policy file that is not one
│   ├── MissingExtra        an optional dependency is not installed
│   └── NoCommitment        no defense, and no mixture of defenses, meets all limits
├── InputError              a file that cannot be read or is not what it should be    (exit 2)
│   ├── Overlap             training traces and test questions that overlap
│   └── PayoffError         a payoff table that does not describe a game
│       ├── MissingCell     a cell that is not there
│       ├── NotFinite       a cell that is NaN, infinite or no number
│       └── WrongShape      a table that is not rows x columns
├── OutputError             a file that cannot be written, or is there already        (exit 2)
├── KeyFileError            a key file that is missing, too short or not the right one (exit 2)
├── Refused                 a request that the reverse proxy answers with an HTTP error
├── SealError               a sealed text that does not open with this key
├── LedgerError             ledger and guarded file do not belong together            (exit 2)
├── EndpointError           a model behind a URL did not answer
├── RowError                one row cannot be guarded: it is rejected with the reason (exit 1)
├── UpstreamError           the engine behind the reverse proxy failed                (client sees 502, 504 or an error event)
│   ├── UpstreamGarbage     it sent what cannot be read
│   ├── UpstreamGone        it refused, or left before the end
│   └── UpstreamStalled     it said nothing for too long
└── DefenseError            a defense failed: the raw text does not leave
    └── HeldTooLong         a text would have to be held beyond a limit

A message says in one sentence what was given, what is allowed and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AntidistillError(Exception):
    """Base of all errors of this package."""


class UsageError(AntidistillError):
    """The call is wrong; nothing was written."""


class UnknownName(UsageError):
    """A name that is not in its table; the message suggests the nearest one."""

    def __init__(self, kind: str, given: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else "choose one of them."
        allowed = ", ".join(names) if names else "none"
        super().__init__(f"unknown {kind} {given!r}; known: {allowed}; {hint}")
        self.kind, self.given, self.known = kind, given, names


class BadOption(UsageError):
    """An option whose value is out of range or of the wrong type."""

    def __init__(self, option: str, given: object, allowed: str) -> None:
        super().__init__(f"option {option}={given!r} is not allowed: {option} must be {allowed}.")
        self.option, self.given, self.allowed = option, given, allowed


class MissingOption(UsageError):
    """Options that have no default and were not given."""

    def __init__(self, name: str, options: Iterable[str]) -> None:
        self.name, self.options = name, list(options)
        super().__init__(f"{name} needs {' and '.join(self.options)}, which were not given: give a value for each.")


class BadPolicy(UsageError):
    """A policy file, or a variable that belongs to it, that is not what it must be."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"policy, {place}: {problem}" + ("" if problem.endswith((".", "?")) else "."))
        self.place = place


class MissingExtra(UsageError):
    """An optional dependency is not installed."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(f"{feature} needs {package}, which is not installed: run pip install 'antidistill[{extra}]'.")
        self.feature, self.package, self.extra = feature, package, extra


class NoCommitment(UsageError):
    """No defense, and no mixture of defenses, meets all limits."""


class InputError(AntidistillError):
    """A file that cannot be read or is not what it should be."""


class Overlap(InputError):
    """Training traces hold questions that the student is tested on."""

    def __init__(self, overlapping: int, questions: int, ids: Iterable[str]) -> None:
        super().__init__(
            f"the traces hold {overlapping} of the {questions} test questions ({', '.join(ids)} …): leave those out with "
            "--drop-overlap, or test on other questions."
        )
        self.overlapping = overlapping


class PayoffError(InputError):
    """A payoff table that does not describe a game."""


class MissingCell(PayoffError):
    """A cell of a payoff table that is not there."""

    def __init__(self, table: str, cell: str) -> None:
        super().__init__(f"{table} has no value for {cell}: measure it, or take the row or column out.")
        self.table, self.cell = table, cell


class NotFinite(PayoffError):
    """A cell of a payoff table that is NaN, infinite or no number."""

    def __init__(self, table: str, cell: str, given: object) -> None:
        super().__init__(f"{table} of {cell} is {given!r}: give a finite number, or take the row or column out.")
        self.table, self.cell, self.given = table, cell, given


class WrongShape(PayoffError):
    """A table that is not rows x columns."""

    def __init__(self, table: str, given: str, wanted: str) -> None:
        super().__init__(f"{table} has {given}: it must have {wanted}.")
        self.table = table


class OutputError(AntidistillError):
    """A file that cannot be written, or that is there already."""


class KeyFileError(AntidistillError):
    """A key file that is missing, too short or not the one that was used."""


class Refused(AntidistillError):
    """A request that the reverse proxy answers with an HTTP error; the message is meant for the client.

    Attributes:
        status: HTTP status.
        code: name of the reason, for the `code` field of the error body and for metrics.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class SealError(AntidistillError):
    """A sealed text that does not open: it was changed, or sealed under another key."""


class LedgerError(AntidistillError):
    """Ledger and guarded file do not belong together."""


class RowError(AntidistillError):
    """One row cannot be guarded; the row is rejected with this reason."""


class DefenseError(AntidistillError):
    """A defense failed; what it had not released stays inside."""


class HeldTooLong(DefenseError):
    """A text would have to be held beyond the limit, in characters or in seconds."""


class EndpointError(AntidistillError):
    """A model behind a URL did not answer.

    Attributes:
        said: the beginning of what it said.
        for_good: asking again would not help: a wrong key, path or model.
        status: the HTTP status of its answer; None where there was none, or the status was fine and the answer was not.
    """

    def __init__(self, problem: str, said: bytes = b"", for_good: bool = False, status: int | None = None) -> None:
        super().__init__(problem)
        self.status = status
        self.said = said.decode("utf-8", "replace").strip()
        self.for_good = for_good


class UpstreamError(AntidistillError):
    """The engine behind the reverse proxy failed; the message never holds what it sent."""

    status = 502
    code = "upstream_error"


class UpstreamGarbage(UpstreamError):
    """The engine sent what cannot be read."""

    code = "upstream_garbage"

    def __init__(self, what: str) -> None:
        super().__init__(f"the engine sent {what}.")


class UpstreamGone(UpstreamError):
    """The engine refused, or left before the end of its response."""

    code = "upstream_gone"


class UpstreamStalled(UpstreamError):
    """The engine said nothing for too long."""

    status = 504
    code = "upstream_stalled"
