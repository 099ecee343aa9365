"""The record of scores, the table of scorers, and rows that cannot be scored."""

from dataclasses import dataclass

import pytest

from antidistill import registry, split
from antidistill.anchors import Scorer, Scores, make, score_all, unscored
from antidistill.errors import RowError, UnknownName
from antidistill.trace import Trace


@dataclass(frozen=True)
class Lengths:
    name: str = "lengths"

    def score(self, trace, sentences=None):
        if not trace.reasoning:
            raise RowError("there is no reasoning to score.")
        return Scores(self.name, tuple(float(len(one)) for one in sentences or split(trace.reasoning)))


TRACES = [Trace("1", "p", "One. Three of them. Two more.", "a"), Trace("2", "q", "", "a")]


def test_a_row_that_cannot_be_scored_keeps_its_place_and_gets_a_reason():
    good, bad = score_all(Lengths(), TRACES)
    assert good.values == (5.0, 15.0, 9.0)
    assert bad == unscored("lengths", 0, "there is no reasoning to score.")


def test_ranks_leave_out_what_has_no_score_and_ties_go_to_the_earlier():
    assert Scores("x", (1.0, None, 3.0, 1.0)).ranks == (2, None, 1, 3)


def test_a_scorer_that_sees_all_traces_at_once_is_used_so():
    class Both(Lengths):
        def score_all(self, traces, sentences):
            return [Scores("both", (float(len(traces)),) * len(each)) for each in sentences]

    assert score_all(Both(), TRACES)[0].values == (2.0, 2.0, 2.0)


def test_unknown_scorers_and_options_are_refused_with_a_hint():
    with pytest.raises(UnknownName, match="did you mean 'receiver-heads'"):
        make("receiver-head")


def test_a_scorer_is_told_by_its_shape():
    assert isinstance(Lengths(), Scorer)
    assert "receiver-heads" in registry.names("scorers")
