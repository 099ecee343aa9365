"""The short way for plain rows sees what the long way sees."""

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.errors import RowError
from antidistill.formats.found import SHORTEST_COPY
from antidistill.formats.leaks import leaks
from antidistill.formats.locate import locate_closely
from antidistill.formats.plain import plain

R = (
    "Step 1: add 1 to the sum, and get 1.\nWait, let me check that.\n"
    + "Then add the next number. " * 12
    + "So it is 4."
)
ROW = {"id": 1, "question": "2+2?", "reasoning": R, "response": "It is 4.", "answer": "4", "score": 0.5, "tags": None}
VALUES = [
    "",
    "4",
    f"<think>{R}</think>4",
    "x</think>",
    "<THINK>x</THINK>",
    "[think]x",
    "◁think▷x",
    "<|START_THINKING|>x",
    "a > b",
    "a < b > c",
    R,
    f" {R} ",
    R[:20],
    R[:200],
    R[:230],
    f"{R} 4",
    f"Long but another text. {'x ' * 300}",
    '["' + R.replace("\n", "\\n") + '"]',
    None,
    7,
    [R],
    {"a": R},
]
COLUMNS = ["question", "response", "answer", "note", "text", "Analysis", "messages", "thinking", "num_tokens", "md5"]


def agrees(row):
    """Whether the short way takes the row; what it finds then is what the long way finds."""
    try:
        found = plain(row, "7")
    except RowError:
        with pytest.raises(RowError):
            locate_closely(row, "7")
        return False
    if found is None:
        return False
    assert locate_closely(row, "7") == [found]
    assert leaks(row, [found]) == []
    return True


def test_every_value_in_every_column():
    taken = [agrees({**ROW, column: value}) for column in COLUMNS for value in VALUES]
    assert 40 < sum(taken) < len(taken)


def test_every_reasoning():
    taken = [agrees({**ROW, "reasoning": value, "response": answer}) for value in VALUES for answer in VALUES]
    assert any(taken)


@given(
    st.dictionaries(
        st.sampled_from(["reasoning", "id", *COLUMNS]),
        st.sampled_from(VALUES) | st.text(max_size=60) | st.lists(st.sampled_from(["4", R]), max_size=2),
    )
)
def test_any_row(row):
    taken = agrees(row)
    assert not taken or row["reasoning"] in VALUES or len(row["reasoning"]) >= SHORTEST_COPY


@pytest.mark.parametrize("name", ["gsm8k_4models", "illposed_stress", "thought_anchors_math"])
def test_nearly_all_real_rows_are_plain(shared, name):
    rows = pq.read_table(shared / f"traces_{name}.parquet").to_pylist()
    taken = [agrees(row) for row in rows]
    assert sum(taken) >= 0.95 * len(taken)
