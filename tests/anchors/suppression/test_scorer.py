"""Suppression as a scorer, with the small language model on short traces."""

import numpy as np
import pytest

from antidistill import split
from antidistill.anchors import make, score_all
from antidistill.errors import BadOption
from antidistill.measure.models import SMALL_LANGUAGE_MODEL, missing
from antidistill.trace import Trace

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(bool(missing(SMALL_LANGUAGE_MODEL, "")), reason="needs the small models (make models)"),
]
# The second sentence names what the last one needs; the third is about something else.
TRACE = Trace(
    "1",
    "Who won?",
    "Let me look. The name of the winner is Zorblatt Quimby. The weather was fine. It rained later. "
    "So the winner is called Zorblatt Quimby.",
    "a",
)


def test_hiding_the_sentence_that_is_repeated_matters_most(tmp_path):
    steps = []
    scorer = make("suppression", store=tmp_path, progress=steps.append)
    found = scorer.score(TRACE)
    assert len(found.values) == 5
    assert found.ranks[1] == 1
    assert found.values[-1] is None
    assert np.argmax(found.evidence["raw"][4, :4]) == 1
    assert found.variant["temperature"] == 0.6
    assert len(steps) == 4
    again = scorer.score(TRACE)
    assert again.values == found.values
    assert np.array_equal(again.evidence["log"], found.evidence["log"], equal_nan=True)
    assert len(steps) == 4, "the second time nothing was read"
    assert [path.suffix for path in tmp_path.iterdir()] == [".jsonl"]


def test_rows_that_cannot_be_scored_keep_their_place_with_a_reason():
    traces = [
        Trace("empty", "q", " ", "a"),
        Trace("one", "q", "Only this.", "a"),
        Trace("long", "q", "Again and again. " * 3000, "a"),
    ]
    rows = score_all(make("suppression"), traces)
    assert [len(row.values) for row in rows] == [len(split(trace.reasoning)) for trace in traces]
    for row, reason in zip(
        rows, ("no sentence", "1 sentences with tokens and the gap is 1", "max_tokens"), strict=True
    ):
        assert reason in row.reason
        assert all(value is None for value in row.values)


def test_what_lies_behind_max_tokens_has_no_score():
    found = make("suppression", max_tokens=30).score(TRACE)
    scored = [value is not None for value in found.values]
    assert scored == sorted(scored, reverse=True)
    assert 0 < sum(scored) < 4


@pytest.mark.parametrize("options", [{"temperature": 0}, {"gap": 0}, {"chunk": 0}, {"template": "no field"}])
def test_bad_options_are_named(options):
    with pytest.raises(BadOption):
        make("suppression", **options)
