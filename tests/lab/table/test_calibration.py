"""Which worlds are fit to compare methods in, and what is said of those that are not."""

import pytest

from antidistill.lab.table.calibration import Calibration, reflection_range, verdict
from antidistill.trace import Estimate


def share(value):
    return Estimate("share", value, value - 0.02, value + 0.02, 100)


def calibrated(teacher=0.97, clean=0.85, answer_only=0.1, plain=0.6):
    return Calibration(
        share(teacher), share(clean), share(answer_only), share(clean - answer_only), share(clean - plain)
    )


def test_a_fit_world_has_no_fault():
    assert calibrated().faults() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"teacher": 0.89}, "the teacher reaches 89.0%, below 90%"),
        ({"clean": 0.97}, "the clean student reaches 97.0%, not 60% to 95%"),
        ({"clean": 0.55}, "the clean student reaches 55.0%"),
        ({"answer_only": 0.7}, "the answer-only student is 15.0 points behind, not 20"),
    ],
)
def test_each_fault_is_named(changes, said):
    [fault] = calibrated(**changes).faults()
    assert said in fault


def test_the_range_is_that_of_the_worlds_means():
    found = {
        "hard": {"a": calibrated(plain=0.45), "b": calibrated(plain=0.65)},
        "easy": {"a": calibrated(plain=0.85)},
    }
    low, high = reflection_range(found)
    assert (low, high) == (pytest.approx(0), pytest.approx(0.3))
    *lines, last = verdict(found)
    assert len(lines) == 3
    assert all("fit" in line for line in lines)
    assert "from +0.0 to +30.0 points: from about zero to ten points or more" in last
    assert "not from about zero" in verdict({"hard": found["hard"]})[-1]
