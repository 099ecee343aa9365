"""Bounds on Gaussian logit noise, against Monte Carlo."""

import math
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax
from tests.theory import laws

from antidistill.errors import BadOption
from antidistill.theory.bounds import gaussian

DRAWS = 4000
SPREAD_LOGITS = np.random.default_rng(1).normal(0, 3, 1000)
LOGITS = {
    "uniform": np.zeros(1000),
    "spread": SPREAD_LOGITS,
    "two": np.zeros(2),
    "confident": np.array([9.0, 0, 0, 0, 0]),
}
SIGMAS = [0.1, 0.5, 1.0, 2.0, 4.0]


@lru_cache
def simulated(name, sigma):
    """Means and standard errors of KL(p || p~), KL(p~ || p) and 1 - |p~|^2 over the noise."""
    logits = LOGITS[name]
    noise = np.random.default_rng(7).normal(0, sigma, (DRAWS, len(logits)))
    clean = softmax(logits)
    changed = logits + noise
    noisy = softmax(changed, axis=1)
    shift = logsumexp(changed, axis=1) - logsumexp(logits)
    forward = shift - noise @ clean
    backward = np.einsum("ij,ij->i", noisy, noise) - shift
    values = np.stack([forward, backward, 1 - (noisy**2).sum(axis=1)])
    return values.mean(axis=1), values.std(axis=1) / math.sqrt(DRAWS)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", LOGITS)
def test_bounds_hold(name, sigma):
    (forward, backward, _), (forward_error, backward_error, _) = simulated(name, sigma)
    clean = softmax(LOGITS[name])
    refined = gaussian.refined(sigma, clean)
    assert forward <= refined + 3 * forward_error
    assert refined <= gaussian.dimension_free(sigma) + 1e-12
    assert forward <= gaussian.large_noise(sigma, len(clean)) + 3 * forward_error
    assert backward <= gaussian.reverse(sigma, len(clean)) + 3 * backward_error
    assert gaussian.reverse(sigma, len(clean)) <= gaussian.reverse(sigma)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", LOGITS)
def test_both_directions_add_up_as_steins_lemma_says(name, sigma):
    (forward, backward, spread), (one, two, three) = simulated(name, sigma)
    assert forward + backward == pytest.approx(sigma**2 * spread, abs=4 * (one + two + sigma**2 * three))


@pytest.mark.parametrize(
    ("name", "values"),
    [("uniform", [0.0050, 0.1248, 0.4995, 1.981, 7.050]), ("two", [0.0025, 0.0591, 0.2125, 0.646, 1.687])],
)
def test_simulation_agrees_with_the_reference_values(name, values):
    for sigma, value in zip(SIGMAS, values, strict=True):
        means, errors = simulated(name, sigma)
        assert means[0] == pytest.approx(value, abs=4 * errors[0] + 1e-4)


@pytest.mark.parametrize("name", LOGITS)
def test_second_order_is_the_limit_for_small_noise(name):
    clean = softmax(LOGITS[name])
    means, errors = simulated(name, 0.02)
    assert means[0] == pytest.approx(gaussian.second_order(0.02, clean), rel=0.02, abs=4 * errors[0])


def test_the_second_order_value_is_no_bound():
    """A rare token that large noise lifts: the divergence exceeds the second-order value, the refined bound does not fail."""
    logits, sigma = np.array([5.0, 0.0]), 2.0
    noise = np.random.default_rng(3).normal(0, sigma, (200_000, 2))
    clean = softmax(logits)
    exact = (logsumexp(logits + noise, axis=1) - logsumexp(logits) - noise @ clean).mean()
    assert gaussian.second_order(sigma, clean) < exact <= gaussian.refined(sigma, clean)


@settings(deadline=None)
@given(st.floats(0.01, 6), laws.distributions(5))
def test_refined_is_never_above_dimension_free(sigma, probabilities):
    assert gaussian.refined(sigma, probabilities) <= gaussian.dimension_free(sigma) * (1 + 1e-12)


def test_a_uniform_distribution_makes_refined_and_second_order_equal():
    uniform = np.full(8, 1 / 8)
    assert gaussian.refined(1.5, uniform) == pytest.approx(gaussian.second_order(1.5, uniform))


def test_the_dimension_free_bound_holds_for_correlated_noise():
    """One normal number moves half of the logits up and half down: as far from independent as can be."""
    clean = softmax(np.linspace(0, 2, 10))
    direction = np.tile([1.0, -1.0], 5)
    noise = np.random.default_rng(5).normal(0, 1.5, (20_000, 1)) * direction
    exact = logsumexp(noise, b=clean, axis=1) - noise @ clean
    assert exact.mean() <= gaussian.dimension_free(1.5)
    assert exact.mean() > gaussian.refined(1.5, clean) * 0.5


def test_noise_that_is_fed_back_into_generation_keeps_the_bound():
    """A teacher whose next tokens depend on its noisy ones; joint laws by enumeration of all traces."""
    random = np.random.default_rng(11)
    sigma, length = 0.8, 4
    logits = random.normal(0, 1.5, (2,) * (length - 1) + (length, 2))

    def law(noise):
        joint = np.ones(())
        for step in range(length):
            context = logits[(slice(None),) * step + (0,) * (length - 1 - step) + (step,)]
            joint = joint[..., None] * softmax(context + noise[step], axis=-1)
        return joint

    clean = law(np.zeros((length, 2)))
    draws = [law(random.normal(0, sigma, (length, 2))) for _ in range(400)]
    known_noise = np.mean([laws.kl(clean, noisy) for noisy in draws])
    assert known_noise <= length * gaussian.dimension_free(sigma)
    assert laws.kl(clean, np.mean(draws, axis=0)) <= known_noise


def test_bounds_of_a_trace_add_up():
    rows = {b.bound: b.value for b in gaussian.bounds(0.5, 10, probabilities=[[0.5, 0.5]])}
    assert rows["dimension-free"] == pytest.approx(1.25)
    assert rows["second-order"] == pytest.approx(0.625)
    assert rows["refined"] == pytest.approx(0.625, rel=1e-6)
    assert rows["proof-of-proposition-3.1"] == pytest.approx(2.5)
    assert rows["reverse"] == pytest.approx(1.25)
    assert rows["total-variation-at-most"] == pytest.approx(math.sqrt(0.3125))


def test_one_distribution_per_token_may_be_given():
    two = gaussian.bounds(0.5, 2, probabilities=[[0.5, 0.5], [1.0, 0.0]])
    assert {b.bound: b.value for b in two}["second-order"] == pytest.approx(0.0625)


def test_the_unknown_constant_is_named():
    for bounds in (gaussian.bounds(1.0, 1), gaussian.bounds(1.0, 1, vocabulary=10)):
        assert any("prints is unknown" in bound.assumes for bound in bounds)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sigma": 0.0}, "sigma"),
        ({"sigma": math.nan}, "sigma"),
        ({"sigma": 1e200}, "sigma"),
        ({"tokens": 0}, "tokens"),
        ({"tokens": 10**400}, "tokens"),
        ({"vocabulary": 1}, "vocabulary"),
        ({"traces": 0}, "traces"),
        ({"probabilities": [[0.5, 0.2]]}, "probabilities"),
        ({"probabilities": [[1.5, -0.5]]}, "probabilities"),
        ({"probabilities": [[0.5, 0.5]] * 3}, "probabilities"),
        ({"probabilities": [[0.5, 0.5], [0.2, 0.3, 0.5]], "tokens": 2}, "probabilities"),
        ({"probabilities": [[0.5, 0.5]], "vocabulary": 3}, "vocabulary"),
    ],
)
def test_numbers_out_of_range_are_named(change, named):
    with pytest.raises(BadOption, match=f"option {named}="):
        gaussian.bounds(**({"sigma": 1.0, "tokens": 1} | change))


def test_the_largest_numbers_that_are_allowed_give_numbers_or_infinity():
    found = gaussian.bounds(1e100, 10**100, probabilities=[[0.5, 0.25, 0.25]], traces=10**100)
    assert not any(math.isnan(bound.value) for bound in found)
    assert {bound.bound: bound.value for bound in found}["total-error-at-least"] == 0
