"""Numbers and results in words that a reader without statistics understands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from antidistill.report.visibility import Detector, Visibility
from antidistill.trace import Estimate

UNKNOWN = "not measured"


def count(value: float) -> str:
    """A whole number with thin groups of three, as in 2 327."""
    return f"{round(value):,}".replace(",", "\u202f")


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage."""
    return f"{100 * share:.{digits}f}\u202f%"


def number(value: float) -> str:
    """A number to three significant digits, infinite ones in words."""
    if math.isinf(value):
        return "no finite number"
    if abs(value) >= 1000:
        return count(value)
    return f"{value:.3g}" if abs(value) >= 0.01 or value == 0 else f"{value:.1e}"


def interval(estimate: Estimate, form: str = "") -> str:
    """The interval of an estimate, as in 0.64 to 0.70; `form` is a format such as "%.2f"."""
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return "no interval"
    low, high = (form % end if form else number(end) for end in (estimate.low, estimate.high))
    return f"{low} to {high}"


def verdict(detector: Detector) -> str:
    """What an AUROC means, by the lower end of its interval."""
    low = detector.auroc.low
    if not low > 0.5:
        return "Not seen by the detectors tried"
    if low < 0.6:
        return "Faintly visible"
    return "Visible" if low < 0.85 else "Plainly visible"


def findings(detector: Detector, visibility: Visibility) -> list[str]:
    """What the strongest detector can do, one sentence per result."""
    sentences = [_meaning(detector), _accusation(detector), _pile(visibility.traces_to_detect)]
    return [sentence for sentence in sentences if sentence]


def _meaning(detector: Detector) -> str:
    auroc = detector.auroc
    rest = "guessing is right 50 times." if auroc.low > 0.5 else "guessing would do as well."
    return (
        "Shown one original and one guarded trace of unrelated questions, the strongest detector tried "
        f"({detector.name}) names the guarded one {_hundreds(auroc.value)} times in 100 "
        f"({_hundreds(auroc.low)} to {_hundreds(auroc.high)}); {rest} A detector that was not tried may see more."
    )


def _accusation(detector: Detector) -> str:
    if detector.tpr is None:
        return ""
    tpr = detector.tpr
    return (
        f"If it may accuse 1 in 100 originals wrongly, it finds {_hundreds(tpr.value)} in 100 guarded traces "
        f"({_hundreds(tpr.low)} to {_hundreds(tpr.high)})."
    )


def _pile(needed: Estimate | None) -> str:
    if needed is None:
        return ""
    if math.isinf(needed.value):
        return "No pile of such traces, however large, gives it enough evidence."
    size = math.ceil(needed.value)
    pile = "One such trace is" if size == 1 else f"A pile of {count(size)} such traces is"
    return f"{pile} enough for it to tell whether they were guarded (95\u202f% power, 1\u202f% false alarms)."


def certificate(mix: float) -> str:
    """The bound that mixing gives."""
    return (
        f"Each trace was guarded with probability {number(mix)}, decided by the key. So no detector of single traces, "
        f"known or unknown, can exceed an AUROC of {number(0.5 + mix / 2)}. This does not hold for a pile of traces."
    )


def method(spec: Mapping[str, Any]) -> str:
    """Name and options of a defense, from its spec."""
    options = ", ".join(f"{name} = {value}" for name, value in spec.get("options", {}).items())
    name = str(spec.get("method", "unknown"))
    return f"{name} ({options})" if options else name


def _hundreds(share: float) -> str:
    """A share as so many in 100, with a decimal only near the ends, and never rounded to an end."""
    in_hundred = 100 * share
    if 99.9 < in_hundred < 100:
        return "more than 99.9"
    return f"{in_hundred:.0f}" if 1 <= in_hundred <= 99 else f"{in_hundred:.1f}".removesuffix(".0")
