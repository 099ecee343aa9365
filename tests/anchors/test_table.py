"""Scores of whole files: every case in its place, scorers by batch or all at once, and what is written of the evidence."""

from dataclasses import dataclass

import numpy as np
import pytest

from antidistill.anchors.functions import make as make_tagger
from antidistill.anchors.scores import Scores
from antidistill.anchors.simple import Length
from antidistill.anchors.table import read_cases, score_cases
from antidistill.errors import InputError, RowError

TEXT = "So it is. Wait, no."


@dataclass(frozen=True)
class Together:
    name: str = "together"
    seen: tuple = ()

    def score_all(self, traces, sentences):
        evidence = {"importance": {0: 1.5}, "matrix": np.eye(2), "receivers": {"heads": [[1, 2]], "seen": ["x"]}}
        return [Scores("together", (float(len(traces)),) * len(each), evidence=evidence) for each in sentences]


@pytest.fixture
def file(tmp_path):
    rows = [f'{{"id":"{n}","prompt":"p{n}","reasoning":"{TEXT}","answer":"a","gold":"{n}"}}' for n in range(300)]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join([*rows[:150], "nonsense", *rows[150:]]))
    return path


def test_every_row_comes_out_once_and_in_order(file):
    said = []
    found = list(score_cases(read_cases(file), {"length": Length()}, make_tagger("regex"), said.append))
    assert [one.case.trace.id for one in found] == [*map(str, range(150)), "151", *map(str, range(150, 300))]
    assert found[150].reasons.keys() == {"row"}
    assert found[0].functions == ["active_computation", "uncertainty_management"]
    assert said == ["256 rows"]


def test_a_scorer_that_learns_from_the_others_sees_all_at_once(file):
    found = list(score_cases(read_cases(file), {"x": Together()}, None, print))
    assert found[0].scores["x"].values == (300.0, 300.0)
    assert found[0].functions == [None, None]


def test_of_the_evidence_only_what_is_small_is_written(file):
    row = next(score_cases(read_cases(file), {"x": Together()}, None, print)).to_json(None)
    assert row["evidence"] == {"x": {"heads": [[1, 2]], "importance": {0: 1.5}}}


def test_what_else_is_in_the_row_reaches_the_scorer(file):
    assert next(read_cases(file)).trace.meta["gold"] == "0"


def test_a_tagger_that_fails_on_a_row_is_its_reason(file):
    class Broken:
        name = "broken"

        def tag(self, sentences, prompt=""):
            raise RowError("the endpoint refused")

    found = next(score_cases(read_cases(file), {"length": Length()}, Broken(), print))
    assert found.reasons == {"functions": "the endpoint refused"}
    assert found.scores["length"].values == (9.0, 9.0)


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError):
        list(read_cases(tmp_path / "no.jsonl"))
