"""Geometry of the frontier: who is beaten, and where things stand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.report.plane import plane, unbeaten
from antidistill.trace import Estimate

PLACES = st.lists(
    st.tuples(st.integers(0, 8).map(lambda n: n / 8), st.integers(-4, 4).map(float)), min_size=1, max_size=12
)


@given(PLACES)
def test_nobody_beats_the_unbeaten_and_somebody_beats_the_rest(places):
    best = unbeaten(places)
    for place, (seen, lost) in enumerate(places):
        better = [
            other
            for other, (visible, damage) in enumerate(places)
            if other != place and visible <= seen and damage >= lost and (visible, damage) != (seen, lost)
        ]
        twins = [other for other in best if places[other] == (seen, lost)]
        assert bool(better) != bool(twins)
    values = [places[place] for place in best]
    assert values == sorted(values)
    assert len(set(values)) == len(values)


def spot(visible, damage, half=0.05):
    return Estimate("v", visible, visible - half, visible + half, 9), Estimate("d", damage, damage - 1, damage + 1, 9)


def test_more_damage_is_higher_and_more_visible_is_further_right():
    chart = plane([(1, 0, *spot(0.5, 0)), (2, 1, *spot(0.9, 10))])
    low, high = chart.spots
    assert low.x.value < high.x.value
    assert low.y.value > high.y.value
    assert low.x.value == chart.guess
    assert low.y.value == chart.nothing
    for one in chart.spots:
        assert one.x.low < one.x.value < one.x.high
        assert one.y.high < one.y.value < one.y.low
        assert chart.frame.left <= one.x.low
        assert one.x.high <= chart.frame.right
        assert chart.frame.top <= one.y.high
        assert one.y.low <= chart.frame.base
    assert chart.edge == f"M{low.x.value} {low.y.value} L{high.x.value} {high.y.value}"


def test_what_is_no_auroc_starts_at_nothing_and_has_no_line_of_guessing():
    chart = plane([(1, 0, *spot(0.05, 0, 0.01)), (2, 1, *spot(0.15, 5, 0.01))], auroc=False)
    assert chart.guess is None
    assert chart.x_ticks[0].label == "0"
    assert chart.spots[1].x.high < chart.frame.right
    assert chart.spots[1].x.value - chart.spots[0].x.value > 200
    assert plane([(1, 0, *spot(0, 0, 0))], auroc=False).spots[0].x.value == chart.frame.left


@pytest.mark.parametrize("damage", [0.0, -3.0, 0.0004])
def test_one_method_without_an_interval_is_a_chart_too(damage):
    bare = Estimate("d", damage, math.nan, math.nan, 0)
    chart = plane([(1, 0, spot(0.2, 0)[0], bare)])
    assert chart.spots[0].y.low == chart.spots[0].y.value == chart.spots[0].y.high
    assert chart.frame.left <= chart.spots[0].x.low
    assert len(chart.y_ticks) >= 2
