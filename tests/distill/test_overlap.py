"""Traces and test questions that overlap are refused by name."""

import pytest

from antidistill.distill import Question
from antidistill.distill.overlap import check_apart, overlapping, without_overlap
from antidistill.distill.questions import read_questions
from antidistill.errors import Overlap
from antidistill.formats import read
from antidistill.trace import Trace

LONG = "A train of 12 cars leaves at noon and needs 3 hours for 240 miles. How fast is it?"


def asked(prompt):
    return [Trace("1", prompt, "r", "a")]


@pytest.mark.parametrize("prompt", [LONG, LONG.upper() + "  ", f"Solve this problem.\n\n{LONG}\nThink.", LONG[:-16]])
def test_the_same_question_in_other_clothes(prompt):
    with pytest.raises(Overlap, match="1 of the 1 test questions.*--drop-overlap"):
        check_apart(asked(prompt), [Question("q", LONG, "80")])


@pytest.mark.parametrize("prompt", ["", "How fast is it?", LONG.replace("12", "13"), "2 - 2?"])
def test_other_questions(prompt):
    check_apart(asked(prompt), [Question("q", LONG, "80"), Question("s", "2 + 2?", "4")])


def test_the_shared_traces_answer_582_of_the_gsm8k_questions(shared):
    traces = list(read(shared / "traces_gsm8k_4models.parquet"))
    questions = read_questions(str(shared / "questions_gsm8k_test.parquet"))
    assert len(overlapping(traces, questions)) == 582
    assert len(without_overlap(traces, questions)) == 737
