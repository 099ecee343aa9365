"""Gaussian noise on a teacher's logits: proposition 3.1 and corollary 3.2 of arXiv 2604.23238.

p is the clean next-token distribution, p~ the one after noise e ~ N(0, sigma^2 I) on the logits; all values are in nats. The
constant that the paper prints is unknown to us: the text at hand lost its formulas. V sigma^2 / 2 is what the wording of its
proof leads to. The bounds here are ours and smaller. Proofs: docs/bounds.md, "Gaussian noise".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from antidistill.errors import BadOption
from antidistill.theory.bounds.detection import Divergence, check_count, consequences
from antidistill.theory.bounds.record import Bound

_SUM_TOLERANCE = 1e-4
MOST_SIGMA = 1e100
"""Largest noise that bounds are calculated for; its square still fits into a number."""


def dimension_free(sigma: float) -> float:
    """E KL(p || p~) <= sigma^2 / 2 for every p, every vocabulary and any correlation of the noise."""
    return sigma**2 / 2


def large_noise(sigma: float, vocabulary: int) -> float:
    """E KL(p || p~) <= sigma sqrt(2 log V), which is smaller than sigma^2 / 2 once sigma > sqrt(8 log V)."""
    return sigma * math.sqrt(2 * math.log(vocabulary))


def refined(sigma: float, probabilities: ArrayLike) -> float:
    """E KL(p || p~) <= min over a of log sum_i p_i exp(sigma^2 (1 - 2 a p_i + a^2 |p|^2) / 2), for independent noise.

    Args:
        sigma: standard deviation of the noise.
        probabilities: the clean distribution p, shape (V,).

    Returns:
        A bound that is never above sigma^2 / 2.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    p = np.asarray(probabilities, dtype=float)
    p = p[p > 0]
    square = float(p @ p)

    def bound(a: float) -> float:
        return float(logsumexp(sigma**2 * (1 - 2 * a * p + a**2 * square) / 2, b=p))

    best = minimize_scalar(bound, bounds=(0.0, float(p.max()) / square), method="bounded")
    return min(bound(0.0), bound(1.0), float(best.fun))


def second_order(sigma: float, probabilities: ArrayLike) -> float:
    """(sigma^2 / 2)(1 - |p|^2): what E KL(p || p~) tends to for small sigma. Not a bound."""
    p = np.asarray(probabilities, dtype=float)
    return sigma**2 / 2 * (1 - float(p @ p))


def reverse(sigma: float, vocabulary: int | None = None) -> float:
    """E KL(p~ || p) <= sigma^2 (1 - 1/V), or sigma^2 where V is not given; independent noise (Stein's lemma)."""
    return sigma**2 * (1 - 1 / vocabulary if vocabulary else 1)


def as_the_proof_reads(sigma: float, vocabulary: int) -> float:
    """V sigma^2 / 2: what the paper's proof gives if it bounds the variance by |e|^2. Its printed constant is unknown."""
    return vocabulary * sigma**2 / 2


def bounds(
    sigma: float,
    tokens: int,
    *,
    vocabulary: int | None = None,
    probabilities: Sequence[ArrayLike] | None = None,
    traces: int = 1,
) -> list[Bound]:
    """All bounds for a trace with noise on `tokens` of its tokens, and what they mean for a detector.

    Args:
        sigma: standard deviation of the noise, above 0 and at most `MOST_SIGMA`.
        tokens: tokens with noise per trace, at least 1.
        vocabulary: size of the vocabulary, at least 2; taken from `probabilities` where they are given.
        probabilities: clean distributions, one for all tokens or one per token, each of shape (V,).
        traces: independent traces that the detector sees together, at least 1.

    Raises:
        BadOption: a number out of its range, or probabilities that are none.
    """
    rows = _distributions(probabilities, tokens)
    if rows and vocabulary not in (None, len(rows[0])):
        raise BadOption(
            "vocabulary", vocabulary, f"the length of the given distributions ({len(rows[0])}), or left out"
        )
    vocabulary = len(rows[0]) if rows else vocabulary
    _check(sigma, tokens, vocabulary, traces)
    forward = _forward(sigma, tokens, vocabulary, rows)
    backward = _backward(sigma, tokens, vocabulary)
    least = min(bound.value for bound in forward if bound.bound != "second-order")
    return [*forward, backward, *consequences(Divergence(least, backward.value), traces)]


def _forward(sigma: float, tokens: int, vocabulary: int | None, rows: Sequence[NDArray[np.float64]]) -> list[Bound]:
    each = f"E KL(clean || noisy) of a trace with {tokens} noisy tokens"
    any_noise = "any noise of this variance; ours, the constant that the paper prints is unknown"
    found = [Bound("dimension-free", tokens * dimension_free(sigma), "nats", f"{each}; {any_noise}")]
    if vocabulary:
        value = tokens * large_noise(sigma, vocabulary)
        found.append(Bound("large-noise", value, "nats", f"{each}; smaller than dimension-free only for large sigma"))
    if rows:
        weight = tokens / len(rows)
        value = weight * sum(refined(sigma, row) for row in rows)
        found.append(Bound("refined", value, "nats", f"{each}; independent noise; the given distributions"))
        value = weight * sum(second_order(sigma, row) for row in rows)
        found.append(Bound("second-order", value, "nats", f"{each}; the limit for small sigma, not a bound"))
    if vocabulary:
        value = tokens * as_the_proof_reads(sigma, vocabulary)
        unknown = "fits the wording of the paper's proof; the constant that it prints is unknown"
        found.append(Bound("proof-of-proposition-3.1", value, "nats", f"{each}; {unknown}"))
    return found


def _backward(sigma: float, tokens: int, vocabulary: int | None) -> Bound:
    value = tokens * reverse(sigma, vocabulary)
    return Bound("reverse", value, "nats", "E KL(noisy || clean) of the trace; independent noise")


def _distributions(probabilities: Sequence[ArrayLike] | None, tokens: int) -> list[NDArray[np.float64]]:
    if probabilities is None:
        return []
    rows = [np.asarray(row, dtype=float) for row in probabilities]
    if len(rows) not in (1, tokens):
        raise BadOption("probabilities", f"{len(rows)} distributions", f"one, or one per noisy token ({tokens})")
    lengths = {row.shape for row in rows}
    if len(lengths) > 1 or rows[0].ndim != 1 or len(rows[0]) < 2:
        raise BadOption("probabilities", f"shapes {sorted(lengths)}", "flat lists of one length, at least 2")
    for row in rows:
        if not (np.isfinite(row).all() and (row >= 0).all() and abs(row.sum() - 1) < _SUM_TOLERANCE):
            raise BadOption("probabilities", f"a list with sum {row.sum():.6g}", "numbers from 0 on that add up to 1")
    return [row / row.sum() for row in rows]


def _check(sigma: float, tokens: int, vocabulary: int | None, traces: int) -> None:
    if not 0 < sigma <= MOST_SIGMA:
        raise BadOption("sigma", sigma, f"a number above 0 and at most {MOST_SIGMA:g}")
    check_count("tokens", tokens)
    check_count("vocabulary", vocabulary)
    if vocabulary is not None and vocabulary < 2:
        raise BadOption("vocabulary", vocabulary, "at least 2")
    check_count("traces", traces)
