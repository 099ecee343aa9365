"""Everything that the sections may show, gathered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from antidistill.report.frontier import Frontier
from antidistill.report.pairing import Pair, Pairing, groups
from antidistill.report.recorded import Recorded
from antidistill.report.visibility import Visibility


@dataclass(frozen=True, slots=True)
class Options:
    """What the report contains.

    Attributes:
        originals: False leaves out everything that the defense removed.
        max_traces: how many traces the reader holds at most (0 or more).
        by: key in `Trace.meta` whose values are the groups; None for one group.
        sources: names of the two files, for the head of the page.
    """

    originals: bool = True
    max_traces: int = 200
    by: str | None = "model"
    sources: tuple[str, str] = ("originals", "guarded traces")


@dataclass(frozen=True, slots=True)
class Material:
    """What was compared and measured.

    Attributes:
        pairing: the pairs and how many traces have no partner.
        options: what the report contains.
        visibility: the detection over all traces, if there is one.
        slices: per named slice of the traces, its removed share (0 to 1) and its own detection.
        also: detections of other files, by name.
        recorded: what the ledger says, if there is a ledger.
        frontier: damage and visibility of methods, measured elsewhere.
    """

    pairing: Pairing
    options: Options
    visibility: Visibility | None = None
    slices: Mapping[str, tuple[float, Visibility]] = field(default_factory=dict)
    also: Mapping[str, Visibility] = field(default_factory=dict)
    recorded: Recorded | None = None
    frontier: Frontier | None = None

    @property
    def pairs(self) -> list[Pair]:
        """Every trace with its partner."""
        return self.pairing.pairs

    @property
    def groups(self) -> dict[str, list[Pair]]:
        """The pairs of each group."""
        return groups(self.pairs)

    @property
    def mix(self) -> float | None:
        """The probability with which each trace was guarded, where the ledger says that the defense was mixed."""
        return self.recorded.mix if self.recorded else None
