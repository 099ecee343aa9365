"""The record that every bound is printed as."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Bound:
    """A proved number and what it needs to be true.

    Attributes:
        bound: name of the bound.
        value: the number.
        unit: its unit.
        assumes: what has to hold, in words.
    """

    bound: str
    value: float
    unit: str
    assumes: str

    def to_json(self) -> dict[str, Any]:
        """The four fields that the command line prints."""
        return asdict(self)
