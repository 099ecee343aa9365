"""Finding the final answer of a continuation."""

import pytest

from antidistill.anchors.resampling.answers import final_answer, forced_answer, is_same, normalised


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"So \boxed{27}.", "27"),
        (r"First \boxed{26}, no: \boxed{27}", "27"),
        (r"\boxed{\frac{3}{4}}", "3/4"),
        (r"\boxed{0.75}", "3/4"),
        (r"\boxed{x^{2} + 1}", "x^(2)+1"),
        (r"maybe \boxed{1}</think>It is \boxed{2}.", "2"),
        (r"\boxed{1}</think>Done.", "1"),
        ("Therefore the answer is 1,234. Good.", "1234"),
        ("**Answer: 12 apples**", "12apples"),
        (r"\boxed{\text{(B)}}", "b"),
        (r"\boxed{12", None),
        ("I still think about it", None),
        ("", None),
        (r"\boxed{}", None),
    ],
)
def test_the_final_answer_is_found(text, answer):
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"), [("27}. Done", "27"), (r"\frac{1}{2}} and", "1/2"), ("27", None), ("", None)]
)
def test_a_forced_answer_ends_where_its_brace_closes(text, answer):
    assert forced_answer(text) == answer


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("0.5", r"\frac{1}{2}", True),
        ("50\\%", "50", True),
        ("1,000", "1000", True),
        ("(1, 000)", "1000", False),
        ("$x$", "x", True),
        ("2", "3", False),
        (None, "3", False),
    ],
)
def test_two_ways_to_write_an_answer(one, other, same):
    assert is_same(one, other) is same


def test_normalising_twice_changes_nothing():
    for text in (r"\dfrac{10}{4}", "1,234.50", r"\left( 3 \right)", "x = 3", "1/0", "٣"):
        once = normalised(text)
        assert normalised(once) == once
