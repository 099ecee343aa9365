"""The kernel as other engines call it: the edits of the command, and no row lost."""

import pickle
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
from tests.batch.rows import chat, trace

import antidistill as ad
from antidistill.batch.adapters import GuardArrow, GuardDocuments
from antidistill.errors import RowError, UsageError
from antidistill.formats.leaks import Leaks

KEY = bytes(range(32))
DEFENSE = ad.defense("branches", share=0.4, key=KEY)


def table(n=30):
    return pa.Table.from_pylist([trace(number) for number in range(n)])


def by_hand(rows):
    traces = [ad.Trace(row["id"], row["prompt"], row["reasoning"], row["answer"]) for row in rows]
    return [ad.guard(one, DEFENSE).reasoning for one in traces]


def test_a_table_is_guarded_like_its_traces():
    guarded = GuardArrow(DEFENSE)(table())
    assert guarded["reasoning"].to_pylist() == by_hand(table().to_pylist())
    assert guarded.schema.equals(table().schema)
    assert guarded.drop_columns(["reasoning"]).equals(table().drop_columns(["reasoning"]))


def test_batches_are_guarded_like_the_table_wherever_they_are_cut():
    guard = pickle.loads(pickle.dumps(GuardArrow(DEFENSE)))
    batches = list(guard.batches(table().to_batches(max_chunksize=7)))
    assert [batch.num_rows for batch in batches] == [7, 7, 7, 7, 2]
    assert pa.Table.from_batches(batches).equals(GuardArrow(DEFENSE)(table()))


def test_no_rows_are_no_trouble():
    assert GuardArrow(DEFENSE)(table().slice(0, 0)).equals(table().slice(0, 0))


def test_a_row_that_cannot_be_guarded_is_an_error_and_not_lost():
    bad = pa.Table.from_pylist([trace(1), trace(2) | {"answer": trace(2)["reasoning"] + trace(2)["reasoning"]}])
    with pytest.raises(RowError, match="row 2: "):
        GuardArrow(DEFENSE)(bad)


def test_columns_that_betray_are_refused_or_dropped():
    counted = table().append_column("token_count", pa.array(range(30)))
    with pytest.raises(UsageError, match="token_count"):
        GuardArrow(DEFENSE)(counted)
    assert GuardArrow(DEFENSE, Leaks.DROP)(counted).equals(GuardArrow(DEFENSE)(table()))


@dataclass(slots=True)
class Document:
    """What datatrove passes from step to step."""

    text: str
    id: str
    metadata: dict[str, Any] = field(default_factory=dict)


def raw(n):
    row = trace(n)
    return f"<think>{row['reasoning']}</think>{row['answer']}"


def test_documents_are_guarded_in_text_and_metadata():
    nested = chat(1)
    text, other = Document(raw(1), "a", {"prompt": trace(1)["prompt"], "n": 1}), Document("", "b", nested)
    guarded = list(GuardDocuments(DEFENSE)([text, other]))
    (expected,) = by_hand([trace(1)])
    assert guarded[0].text == f"<think>{expected}</think>4"
    assert guarded[0].metadata == {"prompt": trace(1)["prompt"], "n": 1}
    assert guarded[1].metadata["messages"][1]["content"] == f"<think>\n{expected}\n</think>\n\n4"
    assert nested == chat(1)


def test_what_betrays_leaves_the_metadata():
    document = Document(raw(1), "a", {"token_count": 9, "usage": {"completion_tokens": 9, "x": 1}})
    with pytest.raises(RowError, match="document a: .*token_count"):
        list(GuardDocuments(DEFENSE)([document]))
    (guarded,) = GuardDocuments(DEFENSE, Leaks.DROP)([document])
    assert guarded.metadata == {"usage": {"completion_tokens": None, "x": 1}}


@pytest.mark.ray
def test_ray_data_calls_it(ray):
    import ray.data

    dataset = ray.data.from_arrow(table()).map_batches(GuardArrow(DEFENSE), batch_format="pyarrow", batch_size=8)
    rows = {row["id"]: row["reasoning"] for row in dataset.take_all()}
    assert len(rows) == 30
    assert [rows[f"t{n}"] for n in range(30)] == by_hand(table().to_pylist())
