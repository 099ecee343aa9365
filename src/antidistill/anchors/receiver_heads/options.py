"""The choices behind receiver heads, all named, and three sets of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from antidistill.errors import BadOption, UnknownName

Depth = Literal["none", "rank", "token"]
Baseline = Literal["none", "subtract", "regress"]
Average = Literal["mean", "length", "rank"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How vertical scores are formed, how heads are chosen and how sentences are scored.

    Attributes:
        gap: a sentence counts what sentences at least this many later give it (p, or d; at least 1).
        heads: how many receiver heads (K).
        layer_zero: whether heads of the first layer may be receivers.
        depth: control for what later rows give each key by sheer number: "none"; "rank": the ranks of a row's sentence means
            over their number; "token": each row times the number of keys it sees, which is 1 everywhere for even attention.
        baseline: what is taken out of a head's profile before its kurtosis: "none"; "subtract": the mean profile of all heads
            of the trace; "regress": what the mean profile explains by least squares.
        edges: sentences at either end of the profile that the kurtosis leaves out.
        drop_sink: leave the first token and learned sinks out of the weights, which then add up to 1 without them.
        average: over the identification traces: "mean" of kurtosis; "length": of kurtosis / (sentences - 5), the highest it can
            be less one; "rank": of each head's rank in the trace, from 0 to 1.
        seed: of the shuffles behind null and reliability.
    """

    gap: int = 4
    heads: int = 16
    layer_zero: bool = False
    depth: Depth = "token"
    baseline: Baseline = "none"
    edges: int = 4
    drop_sink: bool = False
    average: Average = "rank"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("gap", 1), ("heads", 1), ("edges", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise BadOption(name, value, f"a whole number from {least} up")
        for name, allowed in (("depth", Depth), ("baseline", Baseline), ("average", Average)):
            if getattr(self, name) not in get_args(allowed):
                raise BadOption(name, getattr(self, name), "one of " + ", ".join(get_args(allowed)))

    def to_json(self) -> dict[str, Any]:
        """All options; numbers made with other options do not compare."""
        return asdict(self)


_ORIGINAL = Options(heads=20, layer_zero=True, depth="none", baseline="none", edges=0, average="mean")
_APPENDIX_D = Options(depth="none", baseline="subtract", edges=0, average="mean")
VARIANTS: Mapping[str, Options] = {"controlled": Options(), "original": _ORIGINAL, "appendix-d": _APPENDIX_D}
"""controlled: the default, against the faults of the others (docs/anchors.md). original: the code of Thought Anchors (arXiv
2506.19143, interp-reasoning/thought-anchors). appendix-d: the TraceGuard paper (arXiv 2604.23238, appendix D)."""


def variant(name: str) -> Options:
    """The options called `name`.

    Raises:
        UnknownName: there are none of this name.
    """
    if name not in VARIANTS:
        raise UnknownName("variant of receiver heads", name, VARIANTS)
    return VARIANTS[name]
