"""From a Kullback-Leibler divergence to what any detector can do at most (docs/bounds.md, "From KL to a detector").

Clean is the law P of an untouched trace, guarded the law Q of a published one. A test raises an alarm; false alarms are alarms on
clean traces, power is the probability of an alarm on guarded ones. All bounds hold for every test, known or not.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from antidistill.errors import BadOption
from antidistill.theory.bounds.record import Bound

POWER = 0.95
FALSE_ALARMS = 0.01
_SEARCH_STEPS = 200
_WITHOUT_FRACTION = 2.0**53
MOST = 10**100
"""Largest count that bounds are calculated for; their products still fit into a number."""


class Divergence(NamedTuple):
    """Upper bounds on the two divergences between clean and guarded, in nats; infinite where nothing is known."""

    clean_to_guarded: float = math.inf
    guarded_to_clean: float = math.inf

    def times(self, traces: int) -> Divergence:
        """The divergence of a pile of independent traces: it adds up."""
        return Divergence(self.clean_to_guarded * traces, self.guarded_to_clean * traces)


def total_variation(divergence: Divergence) -> float:
    """Largest total variation that the divergence allows, from 0 to 1.

    The smaller one of Pinsker's sqrt(KL / 2) and Bretagnolle and Huber's sqrt(1 - exp(-KL)), in the better direction.
    """
    kl = min(divergence)
    return min(math.sqrt(kl / 2), math.sqrt(-math.expm1(-kl)))


def total_error(divergence: Divergence) -> float:
    """Smallest possible sum of false alarms and misses of any test: 1 is blind guessing, 0 is certainty."""
    return 1 - total_variation(divergence)


def auroc(variation: float) -> float:
    """Largest AUROC at this total variation: 1/2 + v - v^2 / 2. Attained by some pair of laws."""
    return 0.5 + variation - variation**2 / 2


def binary_divergence(first: float, second: float) -> float:
    """KL between two coins with these probabilities of an alarm, in nats."""
    return _part(first, second) + _part(1 - first, 1 - second)


def power(divergence: Divergence, false_alarms: float = FALSE_ALARMS) -> float:
    """Largest power of any test with this share of false alarms.

    A test turns each trace into a coin, and a coin cannot diverge more than the traces do (data processing). This implies both
    Pinsker and Bretagnolle-Huber.
    """
    check_rate("false_alarms", false_alarms)
    low, high = false_alarms, 1.0
    for _ in range(_SEARCH_STEPS):
        middle = (low + high) / 2
        if _fits(divergence, false_alarms, middle):
            low = middle
        else:
            high = middle
    return high


def traces_needed(divergence: Divergence, power: float = POWER, false_alarms: float = FALSE_ALARMS) -> float:
    """Smallest number of independent traces with which some test might reach this power; no test needs fewer.

    Args:
        divergence: of one trace.
        power: wanted probability of an alarm on a guarded pile.
        false_alarms: allowed probability of an alarm on a clean pile, below `power`.

    Returns:
        A whole number of traces, at least 1; infinite where the divergence is 0.
    """
    check_rates(power, false_alarms)
    forward = _ratio(binary_divergence(false_alarms, power), divergence.clean_to_guarded)
    backward = _ratio(binary_divergence(power, false_alarms), divergence.guarded_to_clean)
    return whole_traces(max(forward, backward))


def consequences(divergence: Divergence, traces: int = 1) -> list[Bound]:
    """What any detector of a pile of `traces` independent traces can do at most, and how many traces it needs."""
    pile = divergence.times(traces)
    variation = total_variation(pile)
    seen = "one trace" if traces == 1 else f"a pile of {traces} independent traces"
    about = f"any test of {seen}, even one that knows both laws"
    rate = f"{FALSE_ALARMS:.0%} false alarms"
    return [
        Bound("total-variation-at-most", variation, "", f"Pinsker or Bretagnolle-Huber, the smaller; {about}"),
        Bound("total-error-at-least", 1 - variation, "", f"false alarms plus misses; {about}"),
        Bound("auroc-at-most", auroc(variation), "", f"from the total variation; {about}"),
        Bound("power-at-most", power(pile), "", f"at {rate}; data processing; {about}"),
        Bound(
            "traces-at-least",
            traces_needed(divergence),
            "traces",
            f"for {POWER:.0%} power at {rate}; independent traces with one divergence each; data processing",
        ),
    ]


def check_rate(name: str, rate: float) -> None:
    """Raises BadOption unless the rate lies strictly between 0 and 1."""
    if not 0 < rate < 1:
        raise BadOption(name, rate, "above 0 and below 1")


def check_count(name: str, count: int | None) -> None:
    """Raises BadOption unless the count is left out or lies between 1 and `MOST`."""
    if count is not None and not 1 <= count <= MOST:
        raise BadOption(name, count if count < 1 else f"{len(str(count))} digits", "at least 1 and at most 1e100")


def check_rates(power: float, false_alarms: float) -> None:
    """Raises BadOption unless 0 < false alarms < power < 1."""
    check_rate("false_alarms", false_alarms)
    check_rate("power", power)
    if power <= false_alarms:
        raise BadOption("power", power, f"above the share of false alarms ({false_alarms}), which guessing reaches")


def whole_traces(number: float) -> float:
    """The next whole number of traces, at least 1; what is too large to have a fraction stays, infinity too."""
    return number if number >= _WITHOUT_FRACTION else max(1, math.ceil(number))


def _fits(divergence: Divergence, false_alarms: float, power: float) -> bool:
    forward = binary_divergence(false_alarms, power) <= divergence.clean_to_guarded
    return forward and binary_divergence(power, false_alarms) <= divergence.guarded_to_clean


def _ratio(needed: float, given: float) -> float:
    return needed / given if given > 0 else math.inf


def _part(first: float, second: float) -> float:
    if first == 0:
        return 0.0
    return first * math.log(first / second) if second > 0 else math.inf
