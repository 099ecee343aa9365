"""TraceGuard: deletes the first sentences that open with a marker (arXiv 2604.23238, Algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from antidistill.defenses.budget import check_count, check_share
from antidistill.defenses.sentences import SentencePolicy
from antidistill.defenses.text_defense import MarkerDefense, SentenceWise
from antidistill.errors import BadOption
from antidistill.text.survey import MARKER


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceGuard(SentenceWise, MarkerDefense):
    """Deletes marker sentences in reading order, up to a budget.

    Attributes:
        k: at most this many sentences; 20 where neither `k` nor `share` is given (the paper uses 10, 20 and 50).
        share: at most this share of the characters so far, instead of `k`.
    """

    name: ClassVar[str] = "traceguard"
    k: int | None = None
    share: float | None = None

    def __post_init__(self) -> None:
        MarkerDefense.__post_init__(self)
        if self.k is not None and self.share is not None:
            raise BadOption("share", self.share, "left out where k is given: give k or share, not both")
        if self.share is not None:
            check_share(self.share)
        elif self.k is None:
            object.__setattr__(self, "k", 20)
        if self.k is not None:
            check_count("k", self.k)

    def policy(self, trace_key: bytes) -> SentencePolicy:
        """The budget of one trace."""
        return _UpToShare(self.share) if self.share is not None else _UpToCount(self.k or 0)


class _UpToCount(SentencePolicy):
    mask = value = MARKER

    def __init__(self, k: int) -> None:
        self.most = k
        self._left = k

    def may_take(self, number: int, start: int) -> bool:
        return self._left > 0

    def takes(self, number: int, start: int, end: int) -> bool:
        return self._left > 0

    def took(self, start: int, end: int) -> None:
        self._left -= 1


class _UpToShare(SentencePolicy):
    mask = value = MARKER
    __slots__ = ("_removed", "_share")

    def __init__(self, share: float) -> None:
        self._share = share
        self._removed = 0

    def may_take(self, number: int, start: int) -> bool:
        return True

    def takes(self, number: int, start: int, end: int) -> bool:
        return self._removed + end - start <= self._share * end

    def took(self, start: int, end: int) -> None:
        self._removed += end - start
