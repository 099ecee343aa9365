"""Arrow batches: strings change inside every type, all else stays."""

import copy
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.errors import RowError
from antidistill.formats import Change, changes, locate
from antidistill.formats.found import strings
from antidistill.formats.leaks import leaks
from antidistill.formats.parquet import batches, blank, replace, rows, writer_options

MESSAGE = pa.struct([("role", pa.string()), ("content", pa.large_string()), ("tokens", pa.list_(pa.int64()))])
TYPES = {
    "string": (pa.string(), ["old", None, "other"], ()),
    "large_string": (pa.large_string(), ["old", None, "other"], ()),
    "string_view": (pa.string_view(), ["old", None, "other"], ()),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), ["old", None, "old"], ()),
    "json": (pa.json_(), ["old", None, "other"], ()),
    "list": (pa.list_(pa.string()), [["x", "old", None], None, []], (1,)),
    "large_list": (pa.large_list(pa.string()), [["x", "old", None], None, []], (1,)),
    "fixed_size_list": (pa.list_(pa.string(), 2), [["x", "old"], None, ["y", "z"]], (1,)),
    "struct": (
        pa.struct([("a", pa.string()), ("b", pa.int8())]),
        [{"a": "old", "b": 1}, None, {"a": None, "b": 2}],
        ("a",),
    ),
    "map": (pa.map_(pa.string(), pa.string()), [[("k", "old")], None, []], (0, 1)),
    "messages": (
        pa.list_(MESSAGE),
        [
            [{"role": "user", "content": "q", "tokens": [1]}, {"role": "assistant", "content": "old", "tokens": None}],
            None,
            [{"role": None, "content": None, "tokens": []}],
        ],
        (1, "content"),
    ),
    "list of dictionaries": (pa.list_(pa.dictionary(pa.int8(), pa.string())), [["old", "x"], None, ["x"]], (0,)),
}


def batch_of(kind, values):
    schema = pa.schema(
        [pa.field("id", pa.int64(), metadata={"a": "b"}), pa.field("text", kind), pa.field("score", pa.float32())],
        metadata={"huggingface": '{"info": {"features": {}}}'},
    )
    count = len(values)
    return pa.record_batch(
        [pa.array(range(count)), pa.array(values, kind), pa.array([0.5] * count, pa.float32())], schema
    )


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("name", TYPES)
def test_one_string_changes(name, before):
    kind, values, path = TYPES[name]
    padding = list(reversed(values))[:before]
    batch = batch_of(kind, padding + values + padding).slice(before, len(values))
    result = replace(batch, {0: [Change(("text", *path), "old", "new ü")]})
    assert result.schema.equals(batch.schema, check_metadata=True)
    result.validate(full=True)
    expected = batch.to_pylist()
    expected[0]["text"] = _assigned(expected[0]["text"], path, "new ü")
    assert result.to_pylist() == expected
    assert batch.to_pylist()[0]["text"] == values[0]


def _assigned(container, path, value):
    if not path:
        return value
    items = dict(container) if isinstance(container, dict) else list(container)
    items[path[0]] = _assigned(items[path[0]], path[1:], value)
    return type(container)(items)


def test_untouched_columns_are_passed_on():
    batch = batch_of(pa.string(), ["old", "x"])
    result = replace(batch, {0: [Change(("text",), "old", "new")]})
    for name in ("id", "score"):
        assert result.column(name).buffers()[1].address == batch.column(name).buffers()[1].address
    assert replace(batch, {}).equals(batch, check_metadata=True)


CHATS = st.lists(
    st.none()
    | st.lists(
        st.none()
        | st.fixed_dictionaries(
            {"role": st.text(max_size=3), "parts": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=3)}
        ),
        max_size=3,
    ),
    min_size=1,
    max_size=6,
)


@given(CHATS, st.data())
def test_replace_is_what_python_would_do(chats, data):
    kind = pa.list_(pa.struct([("role", pa.string()), ("parts", pa.large_list(pa.string()))]))
    start = data.draw(st.integers(0, len(chats) - 1))
    batch = pa.record_batch({"m": pa.array(chats, kind)}).slice(start)
    expected = copy.deepcopy(batch.to_pylist())
    wanted = {}
    for position, row in enumerate(batch.to_pylist()):
        for path, old in strings(row):
            if data.draw(st.booleans()):
                wanted.setdefault(position, []).append(Change(path, old, old + "!"))
                target = expected[position]
                for step in path[:-1]:
                    target = target[step]
                target[path[-1]] = old + "!"
    result = replace(batch, wanted)
    result.validate(full=True)
    assert result.to_pylist() == expected


def test_blank():
    batch = batch_of(TYPES["messages"][0], TYPES["messages"][1])
    result = blank(batch, {0: [("text", 1, "content"), ("text", 0, "tokens")], 2: [("score",)]}).to_pylist()
    assert result[0]["text"][1] == {"role": "assistant", "content": None, "tokens": None}
    assert result[0]["text"][0] == {"role": "user", "content": "q", "tokens": None}
    assert [row["score"] for row in result] == [0.5, 0.5, None]


def test_rows_leave_out_what_holds_no_text():
    batch = pa.record_batch(
        {
            "id": [1],
            "text": ["x"],
            "embedding": [[0.5, 0.5]],
            "m": [[{"a": "b"}]],
            "when": pa.array([10**18], "time64[ns]"),
        }
    )
    assert rows(batch) == [{"id": 1, "text": "x", "m": [{"a": "b"}]}]
    usage = pa.record_batch(
        {"usage": [{"total_tokens": 9, "ids": [1]}], "choices": [[{"logprobs": 0.5}]], "x": [[[1]]]}
    )
    assert rows(usage) == [{"usage": {"total_tokens": 9, "ids": [1]}, "choices": [{"logprobs": 0.5}]}]
    assert rows(batch.slice(0, 0)) == []


IDS = pa.list_(pa.int32())


@pytest.mark.parametrize(
    ("kind", "value", "path"),
    [
        (pa.struct([("token_ids", IDS)]), {"token_ids": [1, 2]}, ("token_ids",)),
        (pa.list_(pa.struct([("token_ids", pa.list_(IDS))])), [{"token_ids": [[1], [2]]}], (0, "token_ids")),
        (
            pa.struct([("x", pa.struct([("embedding", pa.list_(pa.float32(), 2))]))]),
            {"x": {"embedding": [0.5, 1]}},
            ("x", "embedding"),
        ),
    ],
)
def test_lists_of_numbers_in_a_struct_that_betray_an_edit(kind, value, path):
    batch = pa.record_batch({"reasoning": ["Okay."], "meta": pa.array([value], kind), "z": pa.array([[1]], IDS)})
    (row,) = rows(batch)
    assert row == {"reasoning": "Okay.", "meta": value}
    (leak,) = leaks(row, locate(row))
    assert leak.path == ("meta", *path)
    (left,) = rows(blank(batch, {0: [leak.path]}))
    assert leaks(left, locate(left)) == []


def test_rows_without_text_columns():
    assert rows(pa.record_batch({"embedding": [[0.5], [0.25]]})) == [{}, {}]


def test_text_that_is_not_utf8_spoils_its_row_only():
    data = pa.py_buffer(b"good\xffbad")
    offsets = pa.py_buffer(np.array([0, 4, 5, 8], np.int32))
    text = pa.Array.from_buffers(pa.string(), 3, [None, offsets, data])
    good, spoilt, last = rows(pa.record_batch({"id": [1, 2, 3], "reasoning": text}))
    assert (good["reasoning"], last["reasoning"]) == ("good", "bad")
    assert isinstance(spoilt, RowError)
    assert "column reasoning holds bytes that are not UTF-8" in str(spoilt)


def test_bytes_are_no_text():
    (row,) = rows(pa.record_batch({"reasoning": pa.array([b"Okay."])}))
    with pytest.raises(RowError, match="reasoning=bytes"):
        locate(row)


@pytest.mark.parametrize(
    "compression", ["snappy", "gzip", "brotli", "lz4", "none", "zstd", {"a": "gzip", "b.list.element.c": "zstd"}]
)
def test_a_file_is_written_as_it_was(compression):
    schema = pa.schema([("a", pa.large_string()), ("b", pa.list_(pa.struct([("c", pa.string())])))], {"k": "v"})
    source, target = io.BytesIO(), io.BytesIO()
    table = pa.table({"a": ["x"] * 5, "b": [[{"c": "d"}]] * 5}, schema)
    pq.write_table(
        table, source, compression=compression, row_group_size=2, use_dictionary=["a"], write_statistics=["a"]
    )
    with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow, **writer_options(file)) as writer:
        for group in range(file.num_row_groups):
            for batch in batches(file, group):
                writer.write_batch(batch)
    before, after = pq.ParquetFile(source), pq.ParquetFile(target)
    assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
    assert after.read().equals(table.cast(schema))
    assert writer_options(after) == writer_options(before)
    assert [after.metadata.row_group(g).num_rows for g in range(after.num_row_groups)] == [2, 2, 1]


def test_a_file_without_row_groups():
    source = io.BytesIO()
    pq.write_table(pa.table({"reasoning": pa.array([], pa.string())}), source)
    file = pq.ParquetFile(source)
    target = io.BytesIO()
    pq.ParquetWriter(target, file.schema_arrow, **writer_options(file)).close()
    assert pq.ParquetFile(target).schema_arrow == file.schema_arrow


def test_large_row_groups_come_in_several_batches(monkeypatch):
    source = io.BytesIO()
    pq.write_table(pa.table({"reasoning": [f"{n} " * 1000 for n in range(100)]}), source, use_dictionary=False)
    monkeypatch.setattr("antidistill.formats.parquet.MOST_BYTES", 50_000)
    sizes = [batch.num_rows for batch in batches(pq.ParquetFile(source), 0)]
    assert sum(sizes) == 100
    assert max(sizes) <= 20


def test_real_rows_through_locate_and_replace(shared):
    file = pq.ParquetFile(shared / "traces_thought_anchors_math.parquet")
    (batch,) = batches(file, 0)
    what = {}
    for position, row in enumerate(rows(batch)):
        (found,) = locate(row)
        what[position] = changes(row, [(found, found.trace.reasoning[:100])])
    result = replace(batch, what)
    for before, after in zip(batch.to_pylist(), result.to_pylist(), strict=True):
        assert after == {**before, "reasoning": before["reasoning"][:100]}
    assert result.schema.equals(batch.schema, check_metadata=True)
