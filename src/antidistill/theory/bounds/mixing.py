"""Guarding each trace with probability P: a certificate against every detector (docs/bounds.md, "Mixing").

The published law is M = (1 - P) C + P G, with C clean and G guarded. Nothing has to be known about G; where something is, the
certificate sharpens. It assumes that the draw is independent of the trace and unknown to the adversary.
"""

from __future__ import annotations

import math

from antidistill.errors import BadOption
from antidistill.theory.bounds import detection
from antidistill.theory.bounds.detection import FALSE_ALARMS, POWER, check_count, check_rates, whole_traces
from antidistill.theory.bounds.record import Bound

_ANY = "any detector of single traces, any wrapped defense; the draw is secret"


def total_variation(mix: float, variation: float = 1.0) -> float:
    """Total variation between clean and published: P times that between clean and guarded."""
    return mix * variation


def auroc(mix: float, variation: float = 1.0) -> float:
    """Largest AUROC on single traces: 1/2 + P (v - v^2 / 2), which is 1/2 + P / 2 where nothing is known (v = 1). Attained."""
    return 0.5 + mix * (detection.auroc(variation) - 0.5)


def power(mix: float, false_alarms: float = FALSE_ALARMS, variation: float = 1.0) -> float:
    """Largest power on single traces at this share f of false alarms: (1 - P) f + P min(1, f + v). Attained."""
    return (1 - mix) * false_alarms + mix * min(1.0, false_alarms + variation)


def pile_total_variation(mix: float, traces: int, variation: float = 1.0) -> float:
    """Largest total variation between piles of N traces: 1 - (1 - P v)^N. Attained for v = 1."""
    return _at_least_one(total_variation(mix, variation), traces)


def pile_power(mix: float, traces: int, false_alarms: float = FALSE_ALARMS, variation: float = 1.0) -> float:
    """Largest power on a pile of N traces: a pile without any guarded trace, probability (1 - P)^N, looks clean."""
    some_guarded = _at_least_one(mix, traces)
    by_draw = (1 - some_guarded) * false_alarms + some_guarded
    return min(by_draw, false_alarms + pile_total_variation(mix, traces, variation))


def traces_needed(
    mix: float, power: float = POWER, false_alarms: float = FALSE_ALARMS, variation: float = 1.0
) -> float:
    """Smallest pile on which some test might reach this power; no test needs fewer traces.

    Args:
        mix: probability P that a trace is guarded, above 0.
        power: wanted probability of an alarm on a published pile.
        false_alarms: allowed probability of an alarm on a clean pile, below `power`.
        variation: total variation between clean and guarded traces, if known.

    Returns:
        A whole number of traces, at least 1; infinite where `variation` is 0.
    """
    check_rates(power, false_alarms)
    by_draw = _log_ratio((1 - power) / (1 - false_alarms), mix)
    by_variation = _log_ratio(1 - power + false_alarms, total_variation(mix, variation))
    return whole_traces(max(by_draw, by_variation))


def traces_enough(mix: float, auroc: float, power: float = POWER, false_alarms: float = FALSE_ALARMS) -> float:
    """Pile on which an adversary certainly reaches this power with a detector of this AUROC on guarded traces.

    The test averages, over the pile, the share of clean traces that score lower; Hoeffding's inequality does the rest.

    Args:
        mix: probability P that a trace is guarded, above 0.
        auroc: AUROC of the adversary's detector, clean against guarded, from 0.5 to 1.
        power: wanted probability of an alarm on a published pile.
        false_alarms: allowed probability of an alarm on a clean pile, below `power`.

    Returns:
        A whole number of traces, at least 1; infinite for an AUROC of 0.5, and where it is too large for a number.
    """
    check_rates(power, false_alarms)
    if not 0.5 <= auroc <= 1:
        raise BadOption("auroc", auroc, "from 0.5 to 1")
    shift = mix * (auroc - 0.5)
    if shift == 0:
        return math.inf
    deviations = math.sqrt(-math.log(false_alarms) / 2) + math.sqrt(-math.log(1 - power) / 2)
    root = deviations / shift
    return whole_traces(root * root)  # infinite where ** would overflow


def bounds(mix: float, *, traces: int = 1, variation: float | None = None, auroc: float | None = None) -> list[Bound]:
    """The certificate for single traces, and what a pile gives away.

    Args:
        mix: probability P that a trace is guarded, above 0 and at most 1.
        traces: size of the pile, at least 1.
        variation: total variation between clean and guarded traces, above 0 and at most 1, if known.
        auroc: AUROC of a detector, clean against guarded, if one was measured.

    Raises:
        BadOption: a number out of its range.
    """
    if not 0 < mix <= 1:
        raise BadOption("mix", mix, "above 0 and at most 1")
    check_count("traces", traces)
    if variation is not None and not 0 < variation <= 1:
        raise BadOption("total-variation", variation, "above 0 and at most 1")
    known = 1.0 if variation is None else variation
    found = [*_single(mix, known), *(_pile(mix, traces, known) if traces > 1 else []), _needed(mix, known)]
    if auroc is not None:
        enough = traces_enough(mix, auroc)
        how = f"for {POWER:.0%} power at {FALSE_ALARMS:.0%} false alarms; a detector with AUROC {auroc:g} on guarded traces"
        found.append(Bound("traces-enough", enough, "traces", how))
    return found


def _single(mix: float, variation: float) -> list[Bound]:
    return [
        Bound("total-variation-at-most", total_variation(mix, variation), "", _ANY),
        Bound("auroc-at-most", auroc(mix, variation), "", _ANY),
        Bound("power-at-most", power(mix, variation=variation), "", f"at {FALSE_ALARMS:.0%} false alarms; {_ANY}"),
    ]


def _pile(mix: float, traces: int, variation: float) -> list[Bound]:
    pile = f"any test of a pile of {traces} independent traces"
    return [
        Bound("pile-total-variation-at-most", pile_total_variation(mix, traces, variation), "", pile),
        Bound(
            "pile-power-at-most",
            pile_power(mix, traces, variation=variation),
            "",
            f"at {FALSE_ALARMS:.0%} false alarms; {pile}",
        ),
    ]


def _needed(mix: float, variation: float) -> Bound:
    need = f"for {POWER:.0%} power at {FALSE_ALARMS:.0%} false alarms; any test of a pile of independent traces"
    return Bound("traces-at-least", traces_needed(mix, variation=variation), "traces", need)


def _at_least_one(probability: float, trials: int) -> float:
    return 1.0 if probability >= 1 else -math.expm1(trials * math.log1p(-probability))


def _log_ratio(left: float, probability: float) -> float:
    """Trials until (1 - probability)^trials falls to `left`."""
    if probability >= 1:
        return 1.0
    return math.log(left) / math.log1p(-probability) if probability > 0 else math.inf
