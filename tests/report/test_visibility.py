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


def test_a_detector_may_itself_be_called_best(detection):
    detection["unpaired"]["best"] = {"auroc": {"value": 0.95, "low": 0.9, "high": 0.99, "n": 40}}
    strongest = read(detection).strongest
    assert (strongest.name, strongest.tpr) == ("best", None)


def test_what_was_not_measured_is_none(detection):
    assert dict(read(detection).paired)["perplexity"] is None
    assert estimate("x", {"value": math.nan, "low": 0, "high": 1, "n": 3}) is None
    assert estimate("x", {"value": None, "low": None, "high": None, "n": 0}) is None


@pytest.mark.parametrize(
    "broken", [{}, {"paired": {}, "unpaired": {"length": {"auroc": 0.5}}}, {"paired": [], "unpaired": {}}]
)
def test_another_shape_is_an_error_that_names_the_command(broken):
    with pytest.raises(InputError, match="detect --json"):
        read(broken)
