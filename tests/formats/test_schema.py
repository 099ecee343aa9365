"""Columns that betray an edit by name and type, and how they go from a file."""

import json

import pyarrow as pa
import pytest

from antidistill.formats.leaks import Leak
from antidistill.formats.schema import leaking_columns, without


def test_columns_of_a_file():
    schema = pa.schema(
        [
            ("reasoning", pa.string()),
            ("num_tokens", pa.int64()),
            ("token_ids", pa.list_(pa.int32())),
            ("embedding", pa.list_(pa.float32(), 4)),
            ("logprobs", pa.list_(pa.struct([("token", pa.string())]))),
            ("sha256", pa.string()),
            ("length", pa.string()),
            ("prompt_tokens", pa.int64()),
        ]
    )
    assert leaking_columns(schema) == [
        Leak(("num_tokens",), "token count"),
        Leak(("token_ids",), "token ids"),
        Leak(("embedding",), "embedding"),
        Leak(("logprobs",), "log probabilities"),
        Leak(("sha256",), "hash"),
    ]


HUGGINGFACE = {"info": {"features": {"a": {"dtype": "string"}, "num_tokens": {"dtype": "int64"}}}}


def noted(**metadata):
    table = pa.table({"a": ["x"], "num_tokens": [1]})
    return table.replace_schema_metadata({key: json.dumps(value) for key, value in metadata.items()})


def test_nothing_tells_of_a_column_that_went():
    pd = pytest.importorskip("pandas", reason="needs the extra hf")
    frame = pa.Table.from_pandas(pd.DataFrame({"a": ["x"]}, index=pd.Index([1], name="num_tokens")))
    table = frame.replace_schema_metadata(
        {**frame.schema.metadata, "huggingface": json.dumps(HUGGINGFACE), "own": "stays"}
    )
    for kind in (table, table.to_batches()[0]):
        left = without(kind, ["num_tokens"])
        assert type(left) is type(kind)
        assert left.schema.names == ["a"]
        assert b"num_tokens" not in b"".join(left.schema.metadata.values())
        assert left.schema.metadata[b"own"] == b"stays"
        assert json.loads(left.schema.metadata[b"huggingface"]) == {"info": {"features": {"a": {"dtype": "string"}}}}
        assert [column["name"] for column in json.loads(left.schema.metadata[b"pandas"])["columns"]] == ["a"]


def test_columns_that_pandas_notes_under_their_fields():
    pd = pytest.importorskip("pandas", reason="needs the extra hf")
    table = pa.Table.from_pandas(pd.DataFrame({"a": ["x"], "num_tokens": [1]}))
    left = without(table, ["num_tokens"])
    assert left.to_pandas().columns.tolist() == ["a"]
    assert b"num_tokens" not in left.schema.metadata[b"pandas"]


@pytest.mark.parametrize("notes", [[], "text", {"info": []}, {"columns": 5}])
def test_notes_of_another_shape_go_as_a_whole(notes):
    left = without(noted(huggingface=notes, pandas=notes), ["num_tokens"])
    assert b"num_tokens" not in b"".join((left.schema.metadata or {}).values())


def test_nothing_changes_where_nothing_goes():
    table = noted(huggingface=HUGGINGFACE)
    assert without(table, []) is table
