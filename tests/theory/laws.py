"""Exact laws on small alphabets: what the best possible test does, for bounds to be held against."""

import math

import numpy as np
from hypothesis import strategies as st


def kl(p, q):
    """KL(p || q) in nats; infinite where q misses what p has."""
    p, q = np.ravel(p), np.ravel(q)
    if (q[p > 0] == 0).any():
        return math.inf
    return float(np.sum(p[p > 0] * np.log(p[p > 0] / q[p > 0])))


def total_variation(p, q):
    return float(np.abs(np.ravel(p) - np.ravel(q)).sum() / 2)


def roc(clean, guarded):
    """Corners (false alarms, power) of the best tests, by likelihood ratio (Neyman and Pearson)."""
    clean, guarded = np.ravel(clean), np.ravel(guarded)
    order = np.argsort(-guarded / np.maximum(clean, 1e-300), kind="stable")
    return np.concatenate([[0], np.cumsum(clean[order])]), np.concatenate([[0], np.cumsum(guarded[order])])


def auroc(clean, guarded):
    false_alarms, power = roc(clean, guarded)
    return float(np.sum(np.diff(false_alarms) * (power[1:] + power[:-1]) / 2))


def power(clean, guarded, false_alarms):
    """Power of the best test at this share of false alarms, randomised where that helps."""
    alarms, powers = roc(clean, guarded)
    last = np.flatnonzero(alarms <= 1e-15)[-1]
    return float(np.interp(false_alarms, alarms[last:], powers[last:]))


def pile(law, traces):
    """The law of that many independent draws."""
    joint = np.ones(1)
    for _ in range(traces):
        joint = np.multiply.outer(joint, law).ravel()
    return joint


@st.composite
def distributions(draw, size):
    """Laws on `size` outcomes, some of them without mass."""
    weights = draw(st.lists(st.integers(0, 20), min_size=size, max_size=size).filter(any))
    return np.array(weights, dtype=float) / sum(weights)


@st.composite
def pairs(draw):
    size = draw(st.integers(2, 6))
    return draw(distributions(size)), draw(distributions(size))
