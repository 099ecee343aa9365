"""What a ledger says about the edits: where they are, why they were made, and by which method."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antidistill.batch.ledger import Ledger
from antidistill.errors import LedgerError

Edits = Sequence[tuple[int, int, int, str]]
"""Edits of one trace: (start, end, length of the replacement, reason), offsets into the original, ascending."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The part of a ledger that the report shows; it needs no key, because the originals are at hand.

    Attributes:
        edits: per trace id, the edits of each trace with this id in the order of the file.
        spec: method, options and mix of the defense; empty if unknown.
        unchanged: why traces are unchanged, and how many.
    """

    edits: Mapping[str, Sequence[Edits]]
    spec: Mapping[str, Any] = field(default_factory=dict)
    unchanged: Mapping[str, int] = field(default_factory=dict)

    @property
    def mix(self) -> float | None:
        """The probability with which each trace was guarded; None where all were."""
        return self.spec.get("mix")


def read_ledger(path: Path) -> Recorded:
    """Reads a ledger.

    Raises:
        LedgerError: the file is no ledger, or was changed.
    """
    ledger = Ledger(path)
    lines = [line.fields for _, _, row in ledger.rows() for line in row if "rejected" not in line.fields]
    edits: dict[str, list[Edits]] = {}
    try:
        for line in lines:
            edits.setdefault(line["trace"], []).append([tuple(edit) for edit in line["edits"]])
        spec = dict(ledger.header["spec"])
    except (KeyError, TypeError, ValueError) as error:
        raise LedgerError(
            f"{path} is not a whole ledger ({error!r}); give the file that guard --ledger wrote."
        ) from error
    return Recorded(edits, spec, Counter(line["unchanged"] for line in lines if line.get("unchanged")))
