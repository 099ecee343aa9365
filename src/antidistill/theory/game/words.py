"""The answer of the game in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from antidistill.errors import NoCommitment
from antidistill.theory.game.limits import Limit
from antidistill.theory.game.payoffs import Payoffs
from antidistill.theory.game.solution import Solution
from antidistill.theory.game.solve import solve


def answers(payoffs: Payoffs, limits: Sequence[float]) -> list[str]:
    """What to commit to without a limit and under limits of visibility, one entry each; also where nothing keeps it."""
    article = "an" if payoffs.visibility_name[0] in "AEIOUaeiou" else "a"
    found = []
    for limit in (None, *limits):
        name = "without a limit" if limit is None else f"with {article} {payoffs.visibility_name} of at most {limit:g}"
        try:
            solution = solve(payoffs, [] if limit is None else [Limit("visibility", limit)])
        except NoCommitment as reason:
            found.append(f"{name}: {reason}")
            continue
        found.append(f"{name}: {' '.join(sentences(solution))}")
    return found


def sentences(solution: Solution) -> list[str]:
    """What to commit to, what it guarantees, what binds, and what each limit costs."""
    return [
        f"Commit to {_mixture(solution.commitment)}.",
        _guarantee(solution),
        f"The answer to it: {_mixture(solution.against)}.",
        *(_limit(solution, limit) for limit in solution.limits),
        *_alternatives(solution),
    ]


def _guarantee(solution: Solution) -> str:
    value = f"{solution.value:.4g}"
    ends = "no interval: the payoffs hold no standard errors, no replicates and no interval wider than 0"
    if solution.low is not None:
        ends = f"95 % interval {solution.low:.4g} to {solution.high:.4g}"
    if solution.has_prior:
        return (
            f"Expected damage over the prior: {value} ({ends}). Against the worst adversary: {solution.worst_case:.4g}."
        )
    if solution.worst_case < solution.value - abs(solution.value) * 1e-6:
        return f"Guaranteed damage: {value} ({ends}). An adversary that ignores its costs leaves {solution.worst_case:.4g}."
    return f"Guaranteed damage, whatever the student: {value} ({ends})."


def _limit(solution: Solution, limit: Limit) -> str:
    price = solution.prices[limit.metric]
    value, counted = solution.reached[limit.metric], solution.counted[limit.metric]
    end = "" if math.isclose(value, counted, rel_tol=1e-9, abs_tol=1e-9) else f", counted: {counted:.4g}, its bad end"
    reached = f"The limit {limit} (reached: {value:.4g}{end})"
    step = 10.0 ** math.floor(math.log10(abs(limit.bound) or 1) - 1)
    if price.step is not None:
        return f"{reached} binds: widened by {price.step:.3g} it allows {price.wider * price.step:.3g} more damage."
    if price.wider > 0:
        return f"{reached} binds: widening it by {step:g} is worth {price.wider * step:.3g} of damage."
    if price.narrower:
        lost = f"narrowing it by {step:g} costs {price.narrower * step:.3g}"
        return f"{reached} is met exactly: widening it alone gains nothing, {lost}."
    return f"{reached} does not bind: widening it gains nothing."


def _alternatives(solution: Solution) -> Iterator[str]:
    if solution.single is None:
        yield "No single defense keeps the limits; only the mixture does."
    elif list(solution.commitment) != [solution.single.row]:
        yield f"The best single defense is {solution.single.row}: {solution.single.value:.4g}."
    if solution.chosen is not None:
        likely = {row: weight for row, weight in solution.chosen.items() if weight >= 0.005}
        yield f"Solved again on resampled payoffs, the mean commitment is {_mixture(likely)}."


def _mixture(weights: Mapping[str, float]) -> str:
    if len(weights) == 1:
        return next(iter(weights))
    ordered = sorted(weights.items(), key=lambda item: -item[1])
    parts = [f"{name} with probability {weight:.3g}" for name, weight in ordered]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
