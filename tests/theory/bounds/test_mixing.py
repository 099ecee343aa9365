"""The mixing certificate, against exact laws and the best possible tests."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from tests.theory import laws

from antidistill.errors import BadOption
from antidistill.theory.bounds import mixing

ROUNDING = 1e-9
SHARES = st.floats(0.01, 1)
RATES = st.floats(0.001, 0.5)


def mixed(pair, mix):
    clean, guarded = pair
    return clean, (1 - mix) * clean + mix * guarded


@settings(deadline=None)
@given(laws.pairs(), SHARES, RATES)
def test_no_detector_of_single_traces_beats_the_certificate(pair, mix, false_alarms):
    variation = laws.total_variation(*pair)
    published = mixed(pair, mix)
    assert laws.total_variation(*published) == pytest.approx(mixing.total_variation(mix, variation))
    assert laws.auroc(*published) <= mixing.auroc(mix, variation) + ROUNDING
    assert laws.power(*published, false_alarms) <= mixing.power(mix, false_alarms, variation) + ROUNDING


@settings(deadline=None)
@given(SHARES, st.floats(0, 1), RATES)
def test_the_certificate_is_attained(mix, variation, false_alarms):
    pair = np.array([0, 1 - variation, variation]), np.array([variation, 1 - variation, 0])
    assert laws.auroc(*mixed(pair, mix)) == pytest.approx(mixing.auroc(mix, variation))
    assert laws.power(*mixed(pair, mix), false_alarms) == pytest.approx(mixing.power(mix, false_alarms, variation))


@settings(deadline=None)
@given(laws.pairs(), SHARES, st.integers(1, 4), RATES)
def test_no_test_of_a_pile_beats_its_bounds(pair, mix, traces, false_alarms):
    variation = laws.total_variation(*pair)
    clean, published = (laws.pile(law, traces) for law in mixed(pair, mix))
    assert laws.total_variation(clean, published) <= mixing.pile_total_variation(mix, traces, variation) + ROUNDING
    assert (
        laws.power(clean, published, false_alarms) <= mixing.pile_power(mix, traces, false_alarms, variation) + ROUNDING
    )


@settings(deadline=None)
@given(SHARES, RATES)
def test_a_pile_of_one_is_a_single_trace(mix, false_alarms):
    assert mixing.pile_power(mix, 1, false_alarms) == pytest.approx(mixing.power(mix, false_alarms))
    assert mixing.pile_total_variation(mix, 1) == pytest.approx(mix)


@pytest.mark.parametrize("mix", [0.01, 0.1, 0.3, 0.9, 1.0])
def test_the_needed_pile_is_the_one_that_suffices_against_an_open_defense(mix):
    """Guarded traces that give themselves away: an alarm where any trace of the pile does, or else by the toss of a coin."""

    def power(traces):
        return 1 - (1 - mix) ** traces * (1 - 0.01)

    need = mixing.traces_needed(mix)
    assert power(need) >= 0.95
    assert need == 1 or power(need - 1) < 0.95
    assert mixing.pile_power(mix, need) == pytest.approx(power(need))


@pytest.mark.parametrize(("mix", "false", "true"), [(0.2, 0.1, 0.9), (0.5, 0.3, 0.7), (1.0, 0.4, 0.6)])
def test_a_pile_that_is_enough_is_enough(mix, false, true):
    """A detector with two verdicts: its AUROC and the exact law of the mean score."""
    auroc = 0.5 + (true - false) / 2
    traces = mixing.traces_enough(mix, auroc)
    threshold = 0.5 + math.sqrt(-math.log(0.01) / 2 / traces)
    low, high = (1 - false) / 2, 1 - false / 2
    flagged = np.arange(traces + 1)
    alarm = (flagged * high + (traces - flagged) * low) / traces >= threshold
    published = (1 - mix) * false + mix * true
    assert binom.pmf(flagged, traces, false)[alarm].sum() <= 0.01
    assert binom.pmf(flagged, traces, published)[alarm].sum() >= 0.95
    assert mixing.traces_needed(mix, variation=true - false) <= traces


def test_known_numbers():
    assert mixing.auroc(0.1) == pytest.approx(0.55)
    assert mixing.auroc(0.5) == pytest.approx(0.75)
    assert mixing.auroc(0.5, variation=0.2) == pytest.approx(0.59)
    assert mixing.traces_needed(0.1) == 29
    assert mixing.traces_needed(0.1, variation=0.0) == math.inf
    assert mixing.traces_enough(0.1, 1.0) == 3006
    assert mixing.traces_enough(0.1, 0.5) == math.inf


def test_the_rows_say_what_they_hold_for():
    rows = {bound.bound: bound for bound in mixing.bounds(0.1, traces=10, auroc=0.9)}
    assert rows["auroc-at-most"].value == pytest.approx(0.55)
    assert "single traces" in rows["auroc-at-most"].assumes
    assert rows["pile-total-variation-at-most"].value == pytest.approx(1 - 0.9**10)
    assert rows["traces-at-least"].value < rows["traces-enough"].value
    assert "traces-enough" not in {bound.bound for bound in mixing.bounds(0.1)}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"mix": 0.0}, "mix"),
        ({"mix": 1.1}, "mix"),
        ({"traces": 0}, "traces"),
        ({"traces": 10**400}, "traces"),
        ({"variation": 0.0}, "total-variation"),
        ({"auroc": 0.4}, "auroc"),
    ],
)
def test_numbers_out_of_range_are_named(change, named):
    with pytest.raises(BadOption, match=f"option {named}="):
        mixing.bounds(**({"mix": 0.1} | change))


def test_piles_too_large_for_a_number_are_infinite():
    found = {bound.bound: bound.value for bound in mixing.bounds(1e-300, traces=10**20, auroc=0.5000001)}
    assert found["traces-enough"] == math.inf
    assert 1e299 < found["traces-at-least"] < math.inf
    assert 0 <= found["pile-total-variation-at-most"] < 1e-270
