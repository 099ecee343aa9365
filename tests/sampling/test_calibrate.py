"""The search for a strength: on curves whose answer is known, and on a real sampler."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from antidistill.errors import BadOption, UsageError
from antidistill.sampling import make
from antidistill.sampling.calibrate import calibrate

N = 2000


def falling(middle, option="lam", steep=4.0):
    """A teacher whose accuracy falls from 1 to 0 around `middle`, the same items first."""

    def accuracy(sampler):
        strength = getattr(sampler, option)
        share = 1 / (1 + (strength / middle) ** steep)
        return [number < share * N for number in range(N)]

    return accuracy


@given(st.floats(1e-3, 10), st.floats(0.1, 0.9))
@hypothesis_settings(deadline=None)
def test_the_strength_is_found_within_four_decades(middle, target):
    found = calibrate(falling(middle), make("ads"), target, rounds=12)
    wanted = middle * (1 / target - 1) ** 0.25
    assert math.log(found.reached.strength / wanted) == pytest.approx(0, abs=0.12)
    assert found.sampler.lam == found.reached.strength
    assert [each.strength for each in found.tried] == sorted({each.strength for each in found.tried})
    assert found.inside == (found.reached.accuracy.low <= target <= found.reached.accuracy.high)


def test_a_bounded_strength_stays_in_its_range_and_says_when_it_does_not_reach():
    found = calibrate(falling(50.0, "gamma"), make("poe"), 0.5)
    assert max(each.strength for each in found.tried) == 1.0
    assert not found.inside
    assert found.to_json()["reached"]["value"] > 0.99


def test_what_cannot_be_calibrated_is_named():
    with pytest.raises(UsageError, match="none has no strength"):
        calibrate(falling(1.0), make("none"), 0.5)
    with pytest.raises(BadOption, match="target"):
        calibrate(falling(1.0), make("ads"), 1.5)
    with pytest.raises(BadOption, match="lam"):
        calibrate(falling(1.0), dataclasses.replace(make("ads"), lam=0.0), 0.5)
    with pytest.raises(UsageError, match="gold answer"):
        calibrate(lambda sampler: [], make("ads"), 0.5)
