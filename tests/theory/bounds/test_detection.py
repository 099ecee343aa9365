"""No exact test on a small alphabet beats what the divergences allow."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from tests.theory import laws

from antidistill.errors import BadOption
from antidistill.theory.bounds import detection
from antidistill.theory.bounds.detection import Divergence

ROUNDING = 1e-9
RATES = st.floats(0.001, 0.5)


def divergence(clean, guarded):
    return Divergence(laws.kl(clean, guarded), laws.kl(guarded, clean))


@settings(deadline=None)
@given(laws.pairs(), RATES)
def test_no_test_beats_the_bounds(pair, false_alarms):
    given_kl = divergence(*pair)
    variation = laws.total_variation(*pair)
    assert variation <= detection.total_variation(given_kl) + ROUNDING
    assert laws.auroc(*pair) <= detection.auroc(variation) + ROUNDING
    assert laws.power(*pair, false_alarms) <= detection.power(given_kl, false_alarms) + ROUNDING


@settings(deadline=None)
@given(laws.pairs(), st.integers(1, 4), RATES)
def test_no_test_of_a_pile_beats_the_bounds(pair, traces, false_alarms):
    clean, guarded = (laws.pile(law, traces) for law in pair)
    given_kl = divergence(*pair).times(traces)
    assert laws.total_variation(clean, guarded) <= detection.total_variation(given_kl) + ROUNDING
    assert laws.power(clean, guarded, false_alarms) <= detection.power(given_kl, false_alarms) + ROUNDING


@settings(deadline=None)
@given(st.floats(0, 1))
def test_the_auroc_of_a_total_variation_is_attained(variation):
    clean = [0, 1 - variation, variation]
    guarded = [variation, 1 - variation, 0]
    assert laws.auroc(clean, guarded) == pytest.approx(detection.auroc(variation))


@pytest.mark.parametrize(("clean", "guarded"), [(0.1, 0.3), (0.5, 0.6), (0.02, 0.2), (0.9, 0.6)])
def test_no_test_needs_fewer_traces(clean, guarded):
    """The best test counts alarms of a coin; its exact need is never below the bound, and not far above."""
    bound = detection.traces_needed(divergence([1 - clean, clean], [1 - guarded, guarded]))
    exact = next(
        n
        for n in range(1, 2000)
        if laws.power(binom.pmf(range(n + 1), n, clean), binom.pmf(range(n + 1), n, guarded), 0.01) >= 0.95
    )
    assert bound <= exact <= 5 * bound


@settings(deadline=None)
@given(RATES, st.floats(1e-6, 5))
def test_data_processing_implies_pinsker_and_bretagnolle_huber(false_alarms, kl):
    one_way = Divergence(clean_to_guarded=kl)
    assert detection.power(one_way, false_alarms) <= false_alarms + detection.total_variation(one_way) + ROUNDING


def test_each_inequality_is_the_better_one_somewhere():
    assert detection.total_variation(Divergence(0.1)) == pytest.approx(math.sqrt(0.05))
    assert detection.total_variation(Divergence(5.0)) == pytest.approx(math.sqrt(1 - math.exp(-5)))
    assert detection.total_error(Divergence()) == 0


def test_known_numbers():
    assert detection.binary_divergence(0.01, 0.95) == pytest.approx(2.9103, abs=1e-4)
    assert detection.binary_divergence(0.95, 0.01) == pytest.approx(4.1769, abs=1e-4)
    assert detection.traces_needed(Divergence(0.01)) == 292
    assert detection.traces_needed(Divergence(0.01, 0.01)) == 418
    assert detection.traces_needed(Divergence(0.0)) == math.inf
    assert detection.traces_needed(Divergence()) == 1


def test_a_power_that_guessing_reaches_is_refused():
    with pytest.raises(BadOption, match="above the share of false alarms"):
        detection.traces_needed(Divergence(1.0), power=0.01, false_alarms=0.05)
    with pytest.raises(BadOption, match="false_alarms"):
        detection.power(Divergence(1.0), 0.0)


def test_consequences_say_what_they_assume():
    rows = {bound.bound: bound for bound in detection.consequences(Divergence(0.02), traces=10)}
    assert rows["total-variation-at-most"].value == pytest.approx(np.sqrt(0.1))
    assert rows["total-error-at-least"].value == pytest.approx(1 - np.sqrt(0.1))
    assert rows["traces-at-least"].value == 146
    assert all(bound.assumes for bound in rows.values())
