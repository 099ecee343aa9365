from dataclasses import replace

import pytest

from antidistill.report.pairing import pair_up
from antidistill.report.slices import LEAST, measure, slices, without_models
from antidistill.report.visibility import read
from antidistill.trace import Trace


def pairs(removed, models=("m",)):
    """One pair per entry: a trace of 100 characters, of which so many are removed."""
    clean = [
        Trace(str(place), "", "x" * 100, "", {"model": models[place % len(models)]}) for place in range(len(removed))
    ]
    guarded = [Trace(trace.id, "", "x" * (100 - share), "") for trace, share in zip(clean, removed, strict=True)]
    return pair_up(clean, guarded).pairs


def test_several_groups_are_the_slices():
    assert {name: len(part) for name, part in slices(pairs([5] * 2 * LEAST, ("a", "b"))).items()} == {
        "a": LEAST,
        "b": LEAST,
    }


def test_a_group_of_too_few_is_left_out():
    assert list(slices(pairs([5] * (2 * LEAST - 2), ("a", "b")))) == []


def test_one_group_is_cut_into_bins_of_removed_share():
    found = slices(pairs([0] * 10 + [share for share in range(1, 61) for _ in range(4)]))
    assert list(found) == [f"{low}.0\u202f% to {low + 14}.0\u202f% removed" for low in (1, 16, 31, 46)]
    assert {len(part) for part in found.values()} == {LEAST}


def test_there_are_no_bins_where_every_trace_lost_the_same():
    assert slices(pairs([10] * 5 * LEAST)) == {}


def test_there_are_no_bins_of_few_traces():
    assert slices(pairs(list(range(1, LEAST)))) == {}


def test_each_slice_is_measured_by_the_strongest_detector(clean, detection):
    first = [replace(trace, meta={"model": "a"}) for trace in clean]
    second = [replace(trace, id=f"b{trace.id}", meta={"model": "b"}) for trace in clean]
    cut = [replace(trace, reasoning=trace.reasoning[: len(trace.reasoning) // 100]) for trace in first]
    detection["unpaired"]["best"] = "length"
    found = measure(pair_up([*first, *second], [*cut, *second]).pairs, read(detection))
    assert {name: part.strongest.name for name, (_, part) in found.items()} == {"a": "length", "b": "length"}
    assert found["a"][0] > 0.98
    assert found["b"][0] == 0
    assert found["a"][1].strongest.auroc.value > 0.95
    assert found["b"][1].strongest.auroc.value == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(
    ("best", "used"), [("length", "length"), ("perplexity", "boosting"), ("all-features", "boosting")]
)
def test_a_detector_that_needs_models_or_is_unknown_is_replaced(detection, best, used):
    detection["unpaired"].setdefault(best, detection["unpaired"]["length"])
    detection["unpaired"]["best"] = best
    assert without_models(read(detection)) == used
