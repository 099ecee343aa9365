"""Question sets: every form of gold answer, splits, draws, and rows that are no question."""

import json
import os
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antidistill.distill.questions import HUB, read_questions, with_choices
from antidistill.errors import InputError


@pytest.fixture
def asked(tmp_path):
    def write(*rows):
        path = tmp_path / "questions.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    ("row", "gold", "grader"),
    [
        ({"question": "q", "answer": "So 3 * 500.\n#### 1,500"}, "1500", "math"),
        ({"problem": "q", "solution": r"First \boxed{2}, then \boxed{\frac{1}{2}}."}, r"\frac{1}{2}", "math"),
        ({"problem": "q", "answer": "7", "solution": r"\boxed{8}"}, "7", "math"),
        ({"question": "q", "gold": r"\boxed{8}"}, r"\boxed{8}", "math"),
        ({"question": "q", "answer": 2, "choices": ["a", "b", "c"]}, "C", "letter"),
        ({"question": "q", "answer": "B", "choices": '["a", "b"]'}, "B", "letter"),
        ({"question": "q", "answer": "two", "choices": ["one", "two"]}, "B", "letter"),
        ({"prompt": "q", "target": "12", "grader": "exact"}, "12", "exact"),
        ({"question": "q", "answer": 0}, "0", "math"),
    ],
)
def test_gold_answers(asked, row, gold, grader):
    (found,) = read_questions(asked(row))
    assert (found.gold, found.grader) == (gold, grader)


def test_choices_are_asked_with_their_letters():
    assert with_choices("Which?", ["one", "two"]) == "Which?\n\nA. one\nB. two"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"question": "q"}, "is no question: it needs question or problem or prompt, and gold or answer"),
        ({"answer": "5"}, "is no question"),
        ({"question": 5, "answer": "5"}, "is no question"),
        ({"question": "q", "answer": 4, "choices": ["a", "b"]}, "the answer 4 is none of its 2 choices"),
        ({"question": "q", "answer": -1, "choices": ["a", "b"]}, "the answer -1 is none of its 2 choices"),
        ({"question": "q", "answer": "A", "choices": "a, b"}, "its choices are no list"),
        ({"question": "q", "answer": "A", "choices": ["x"] * 11}, "has 11 choices, at most 10"),
    ],
)
def test_a_row_that_is_no_question_is_named(asked, row, words):
    good = {"question": "q", "answer": "5"}
    with pytest.raises(InputError, match=words) as caught:
        read_questions(asked(good, row))
    assert "questions.jsonl" in str(caught.value)
    assert "2" in str(caught.value)


def test_ids_are_kept_or_made_and_never_shared(asked, tmp_path):
    rows = [{"question": "a", "answer": "1"}, {"question": "b", "answer": "2", "unique_id": "u"}]
    path = asked(*rows)
    assert len({question.id for question in read_questions(path)}) == 2
    assert read_questions(path)[1].id == "u"
    (tmp_path / "more.jsonl").write_text(json.dumps(rows[0]) + "\n")
    assert len({question.id for question in read_questions(str(tmp_path))}) == 3
    with pytest.raises(InputError, match="1 questions whose id another one has"):
        read_questions(asked(rows[1], rows[1]))


def test_a_draw_is_the_same_for_a_seed_and_another_one_for_another(asked):
    path = asked(*({"id": str(row), "question": f"q{row}", "answer": "1"} for row in range(30)))
    draws = [[q.id for q in read_questions(path, 10, seed)] for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert len(set(draws[0])) == 10
    assert len(read_questions(path, 99)) == len(read_questions(path)) == 30


def test_a_split_takes_its_rows(asked):
    path = asked(*({"id": str(row), "question": "q", "answer": "1", "split": "ab"[row % 2]} for row in range(6)))
    assert [q.id for q in read_questions(f"{path}@b")] == ["1", "3", "5"]
    with pytest.raises(InputError, match="holds no question"):
        read_questions(f"{path}@c")


def test_a_folder_stands_for_a_hub_name(tmp_path, monkeypatch):
    pytest.importorskip("datasets", reason="needs pip install 'antidistill[train]'")
    monkeypatch.setitem(os.environ, "HF_HUB_OFFLINE", "1")
    rows = [{"question": f"q{row}", "answer": "#### 3"} for row in range(4)]
    (tmp_path / "set").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "set" / "test-00000.parquet")
    found = read_questions(f"{HUB}{tmp_path / 'set'}")
    assert [question.gold for question in found] == ["3"] * 4
    with pytest.raises(InputError, match="cannot be fetched"):
        read_questions(f"{HUB}{tmp_path / 'set'}@train")


def test_the_shared_sets(shared):
    sizes = {"gsm8k_test": 1319, "math500": 500, "math_test": 5000}
    for name, size in sizes.items():
        assert len(read_questions(str(shared / f"questions_{name}.parquet"))) == size
    mmlu = read_questions(str(shared / "questions_mmlu.parquet") + "@test", 500)
    assert {question.grader for question in mmlu} == {"letter"}
    assert set(Counter(question.gold for question in mmlu)) == set("ABCD")
    assert all("\nD. " in question.text for question in mmlu)
