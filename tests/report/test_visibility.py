import math

import pytest

from antidistill.errors import InputError
from antidistill.report.visibility import estimate, read


def test_the_strongest_detector_is_the_one_that_the_detection_names(detection):
    detection["unpaired"]["best"] = "marker-rate"
    assert read(detection).strongest.name == "marker-rate"


@pytest.mark.parametrize("best", [None, "no such detector"])
def test_without_a_known_name_it_is_the_one_with_the_highest_auroc(detection, best):
    detection["unpaired"]["best"] = best
    assert read(detection).strongest.name == "all-features"


def test_an_infinite_pile_is_null_in_json(detection):
    detection["traces_to_detect"] = {"value": None, "low": 90, "high": None, "n": 40}
    pile = read(detection).traces_to_detect
    assert (pile.value, pile.low, pile.high) == (math.inf, 90, math.inf)


def test_the_removed_share_is_that_of_the_tokens(detection):
    assert read(detection).removed_share == pytest.approx(0.15)
    detection["paired"]["tokens"] = None
    assert read(detection).removed_share is None


def test_where_no_detector_ran_none_is_strongest(detection):
    detection["unpaired"] = {"best": None}
    assert read(detection).strongest is None


def test_what_was_not_measured_is_none(detection):
    assert dict(read(detection).paired)["perplexity"] is None
    assert estimate("x", {"value": math.nan, "low": 0, "high": 1, "n": 3}) is None
    assert estimate("x", {"value": None, "low": None, "high": None, "n": 0}) is None


@pytest.mark.parametrize(
    "broken",
    [{}, {"paired": {}, "unpaired": {"length": {"auroc": 0.5}}, "n": 9}, {"paired": [], "unpaired": {}, "n": 9}],
)
def test_another_shape_is_an_error_that_names_the_command(broken):
    with pytest.raises(InputError, match="detect --json"):
        read(broken)
