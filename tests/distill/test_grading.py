"""Graders on real gold answers and on ways to say a letter."""

from itertools import pairwise

import pytest

from antidistill.distill.grading import boxes, chosen_letter, exact, letter, math
from antidistill.distill.questions import read_questions


def test_every_gold_answer_of_math_is_right_and_its_neighbour_hardly_ever(shared):
    pytest.importorskip("math_verify", reason="needs pip install 'antidistill[train]'")
    questions = read_questions(str(shared / "questions_math500.parquet"), 60)
    golds = [question.gold for question in questions]
    assert all(math(f"So it is \\boxed{{{gold}}}.", gold) for gold in golds)
    assert sum(math(f"\\boxed{{{other}}}", gold) for gold, other in pairwise(golds)) <= 2


def test_equal_forms_are_equal():
    pytest.importorskip("math_verify", reason="needs pip install 'antidistill[train]'")
    assert math(r"first \boxed{3}, then \boxed{\frac{1}{2}}", "0.5")
    assert not math(r"first \boxed{0.5}, then \boxed{3}", "0.5")
    assert math("The answer is 1,234.", "1234")
    assert not math("", "5")


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (r"\boxed{B}", "B"),
        (r"\boxed{\text{C}}", "C"),
        (r"\boxed{(D) four}", "D"),
        ("A looks good. The answer is B.", "B"),
        ("The answer: **C**", "C"),
        ("I think\nD", "D"),
        ("A long way to go", None),
        ("", None),
    ],
)
def test_letters(text, chosen):
    assert chosen_letter(text) == chosen
    assert letter(text, "B") == (chosen == "B")


def test_boxes_nest_and_may_be_cut_off():
    assert boxes(r"\boxed{\frac{1}{2}} and \boxed{3") == [r"\frac{1}{2}", "3"]


def test_exact():
    assert exact(" 12.\n", "12")
    assert not exact("112", "12")
