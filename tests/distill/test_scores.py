"""Numbers of an evaluation: the product that accuracy is, intervals that cover, paired tests that agree with tables."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.distill import Evaluation, Outcome, compare
from antidistill.errors import InputError

FLAGS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


def outcome(question, right, finished=True, sample=0, **more):
    numbers = {"closed": True, "tokens": 5, "boxes": 0, "distinct": 1.0, "markers": 0, "sentences": 3}
    return Outcome(question=str(question), sample=sample, right=right, finished=finished, **(numbers | more))


def answers(flags):
    return Evaluation([outcome(row, right, finished) for row, (right, finished) in enumerate(flags)])


@given(FLAGS)
def test_accuracy_is_finished_times_the_accuracy_of_the_finished(flags):
    found = answers(flags).estimates()
    if found["finished"].value:
        product = found["finished"].value * found["accuracy_of_finished"].value
        assert found["accuracy"].value == pytest.approx(product)
    else:
        assert found["accuracy"].value == 0
        assert math.isnan(found["accuracy_of_finished"].value)
        assert found["accuracy_of_finished"].n == 0
    right = sum(right for right, _ in flags) / len(flags)
    assert found["accuracy"].value + found["right_unfinished"].value == pytest.approx(right)


@given(FLAGS)
def test_an_evaluation_is_read_back_as_it_was_written(flags):
    assert Evaluation.from_json(answers(flags).to_json()) == answers(flags)


@settings(deadline=None)  # the first call loads scipy.stats
@given(FLAGS, st.randoms())
def test_a_difference_is_that_of_the_accuracies_and_changes_its_sign_with_the_sides(flags, draw):
    first = answers(flags)
    second = answers([(draw.random() < 0.5, draw.random() < 0.8) for _ in flags])
    there, back = compare(first, second), compare(second, first)
    gap = first.estimate("accuracy").value - second.estimate("accuracy").value
    assert there.difference.value == pytest.approx(gap)
    assert back.difference.value == pytest.approx(-gap)
    assert there.difference.low <= there.difference.value <= there.difference.high
    assert (there.difference.low, there.p) == (pytest.approx(-back.difference.high), back.p)
    assert (there.only_first, there.only_second) == (back.only_second, back.only_first)


def test_mcnemar_is_exact():
    """8 questions only the first answered, 1 only the second: two-sided binomial, 2 * (1 + 9) / 2^9."""
    first = [True] * 8 + [False] + [True] * 11
    second = [False] * 8 + [True] + [True] * 11
    found = compare(answers([(right, True) for right in first]), answers([(right, True) for right in second]))
    assert (found.only_first, found.only_second) == (8, 1)
    assert found.p == pytest.approx(2 * 10 / 2**9)
    assert found.to_json()["mcnemar_p"] == found.p


def test_the_interval_of_a_difference_covers_it_in_at_least_94_of_100_draws():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        skill = generator.random((60, 2)) < (0.7, 0.5)
        first, second = (answers([(bool(right), True) for right in skill[:, side]]) for side in (0, 1))
        found = compare(first, second).difference
        covered += found.low <= 0.2 <= found.high
    assert covered >= 0.94 * 400


def test_samples_of_a_question_are_no_questions():
    """Ten outputs of two questions that are always or never right: the interval is that of two questions."""
    many = Evaluation([outcome(row % 2, row % 2 == 0, sample=row // 2) for row in range(20)])
    found = many.estimate("accuracy")
    assert (found.value, found.n) == (0.5, 2)
    assert found.low == 0
    assert found.high == 1
    one = compare(many, Evaluation([outcome(row, False) for row in range(2)]))
    assert one.difference.value == 0.5
    assert one.p is None


def test_a_pair_of_one_output_each_that_never_differs_is_no_certainty():
    same = answers([(True, True)] * 10)
    found = compare(same, same)
    assert found.p == 1
    assert found.difference.low < 0 < found.difference.high


def test_forced_answers_are_counted_by_who_gave_them():
    found = Evaluation(
        [
            outcome(0, True, forced={"student": False, "teacher": True}),
            outcome(1, False, forced={"student": False, "teacher": False}),
        ]
    ).estimates()
    assert found["accuracy_forced_by_student"].value == 0
    assert found["accuracy_forced_by_teacher"].value == 0.5
    assert found["accuracy_raw_or_forced_by_student"].value == 0.5


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="1 and 1 questions, 0 of them shared"):
        compare(Evaluation([outcome("a", True)]), Evaluation([outcome("b", True)]))
    with pytest.raises(InputError, match="cannot be compared"):
        compare(Evaluation([]), Evaluation([]))
    with pytest.raises(InputError, match="no result of antidistill distill"):
        Evaluation.from_json({"outcomes": [{"question": "a"}]})


def test_an_output_that_repeats_itself_loops():
    assert outcome(0, True, distinct=0.49).loops
    assert not outcome(0, True, distinct=0.5).loops
