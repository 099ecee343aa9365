import math

import pytest
from tests.report.samples import estimate

from antidistill.report import wording
from antidistill.report.visibility import read
from antidistill.trace import Estimate


def strongest(detection, auroc):
    detection["unpaired"] = {"all-features": {"auroc": auroc, "tpr_at_1pct": estimate(0.2)}}
    measured = read(detection)
    return measured.strongest, measured


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0.51, "Not seen"), (0.58, "Faintly"), (0.7, "Visible"), (0.99, "Plainly")],
)
def test_the_verdict_goes_by_the_lower_end(detection, value, verdict):
    assert wording.verdict(strongest(detection, estimate(value))[0]).startswith(verdict)


def test_findings_say_what_the_numbers_mean(detection):
    sentences = wording.findings(*strongest(detection, estimate(0.67)))
    assert "names the guarded one 67 times in 100 (64 to 70)" in sentences[0]
    assert "finds 20 in 100" in sentences[1]
    assert "A pile of 4 " in sentences[2]


def test_a_detector_that_guesses_is_not_said_to_find_anything(detection):
    detector, measured = strongest(detection, estimate(0.5))
    assert "guessing would do as well" in wording.findings(detector, measured)[0]


def test_what_was_not_measured_is_not_worded(detection):
    detection["traces_to_detect"] = None
    assert len(wording.findings(*strongest(detection, estimate(0.67)))) == 2


def test_one_trace_is_no_pile(detection):
    detection["traces_to_detect"] = estimate(1, 0)
    assert wording.findings(*strongest(detection, estimate(0.99)))[2].startswith("One such trace is enough")


def test_near_certainty_is_not_rounded_to_certainty(detection):
    sentences = wording.findings(*strongest(detection, estimate(0.9998, 0.0001)))
    assert "more than 99.9 times in 100" in sentences[0]


def test_an_infinite_pile_is_worded(detection):
    detection["traces_to_detect"] = {"value": None, "low": 90, "high": None, "n": 40}
    assert "however large" in wording.findings(*strongest(detection, estimate(0.5)))[2]


def test_the_certificate_names_its_bound_and_its_limit():
    text = wording.certificate(0.3)
    assert "AUROC of 0.65" in text
    assert "does not hold for a pile" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.123456, "0.123"),
        (0.00012, "1.2e-04"),
        (12.34, "12.3"),
        (5774, "5\u202f774"),
        (math.inf, "no finite number"),
    ],
)
def test_numbers(value, text):
    assert wording.number(value) == text


def test_intervals_have_words_for_missing_ends():
    assert wording.interval(Estimate("x", 0.5, 0.4, 0.6, 9), "%.2f") == "0.40 to 0.60"
    assert wording.interval(Estimate("x", 0.5, math.nan, math.nan, 9)) == "no interval"


def test_the_method_is_named_with_its_options():
    assert wording.method({"method": "traceguard", "options": {"k": 20}}) == "traceguard (k = 20)"
    assert wording.method({"method": "none", "options": {}}) == "none"
