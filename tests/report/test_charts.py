import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.report.charts import Point, Scale, auroc_range, histogram, scatter
from antidistill.trace import Estimate

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(np.array)


def coordinates(path):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", path)]


@given(values, values)
def test_histograms_stay_inside_their_frame(clean, guarded):
    chart = histogram(clean, guarded)
    numbers = coordinates(chart.clean.outline) + coordinates(chart.guarded.outline)
    assert min(numbers) >= chart.frame.left
    assert max(numbers) <= chart.frame.right
    assert chart.clean.outline.startswith(f"M{chart.frame.left:.1f}") or chart.clean.outline.startswith(
        f"M{chart.frame.left} "
    )


def test_equal_samples_have_equal_curves_and_others_do_not():
    sample = np.arange(50.0)
    assert histogram(sample, sample).clean == histogram(sample, sample).guarded
    shifted = histogram(sample, sample / 2)
    assert shifted.guarded.median.at < shifted.clean.median.at


def test_ticks_are_round_and_in_range():
    labels = [tick.label for tick in Scale(0, 17.2, 0, 100).ticks(5)]
    assert labels == ["0", "5", "10", "15"]
    assert [tick.label for tick in Scale(0.4, 1, 0, 100).ticks(6)] == ["0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"]


def test_values_outside_of_a_scale_stand_at_its_end():
    assert Scale(0, 1, 10, 20)(7) == 20


def test_higher_auroc_is_drawn_higher_and_more_removed_further_right():
    points = [
        Point("a", 0.05, "d", Estimate("", 0.6, 0.5, 0.7, 9), True),
        Point("b", 0.2, "d", Estimate("", 0.9, 0.8, 1, 9), False),
    ]
    low, high = scatter(points).dots
    assert high.x > low.x
    assert high.whisker.value < low.whisker.value
    assert low.whisker.high < low.whisker.value < low.whisker.low
    assert (low.number, high.number, low.own, high.own) == (1, 2, True, False)


def test_a_detector_below_guessing_and_a_guarded_text_that_is_longer_still_fit():
    chart = scatter([Point("a", -0.1, "d", Estimate("", 0.2, 0.1, 0.3, 9), True)])
    (dot,) = chart.dots
    assert chart.frame.left <= dot.x <= chart.frame.right
    assert chart.frame.top <= dot.whisker.high <= dot.whisker.low <= chart.frame.base


def test_an_interval_that_is_no_number_shrinks_to_the_value():
    whisker = auroc_range(Estimate("", 0.7, float("nan"), float("nan"), 9)).whisker
    assert whisker.low == whisker.value == whisker.high


def test_guessing_has_its_place_on_the_line():
    chart = auroc_range(Estimate("", 0.5, 0.45, 0.55, 9))
    assert chart.whisker.value == pytest.approx(chart.guess)


def test_numbers_of_neighbours_do_not_cover_each_other():
    points = [Point("", share, "d", Estimate("", 0.99, 0.98, 1, 9), True) for share in (0.130, 0.131, 0.132, 0.2)]
    near, far = scatter(points).dots[:3], scatter(points).dots[3]
    assert len({dot.label for dot in near}) == 3
    assert far.label == near[0].label
