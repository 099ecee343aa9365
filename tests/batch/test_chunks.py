"""Chunks tile the input, begin in the same places from wherever one starts, and can be read by reference."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.batch.rows import lines, trace

from antidistill.batch.chunks import Group, Part, Slice, chunks, is_referable
from antidistill.batch.guardian import Settings
from antidistill.batch.results import Cursor
from antidistill.batch.work import Work
from antidistill.errors import InputError

SETTINGS = Settings("{}", b"")
BEGINNING = Cursor()


def work(*shards, start=BEGINNING, chunk_bytes=1000):
    return Work(shards, [None] * len(shards), SETTINGS, start, chunk_bytes)


def content(chunk):
    if isinstance(chunk.payload, Slice):
        return chunk.payload.path.read_bytes()[chunk.payload.start : chunk.payload.stop]
    return chunk.payload


def test_chunks_of_lines_tile_the_file(traces):
    cut = list(chunks(work(traces), by_reference=False))
    assert b"".join(map(content, cut)) == traces.read_bytes()
    assert all(1000 <= len(chunk.payload) < 1500 for chunk in cut[:-1])
    assert [chunk.before for chunk in cut] == [0, *(chunk.after.row for chunk in cut[:-1])]
    assert cut[-1].after == Cursor(1, 0)


def test_a_reference_is_the_same_as_the_lines(traces):
    for carried, referred in zip(chunks(work(traces), False), chunks(work(traces), True), strict=True):
        assert content(referred) == carried.payload
        assert referred.after == carried.after


def test_compressed_lines_are_cut_like_plain_ones(traces, tmp_path):
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(pa.compress(traces.read_bytes(), "gzip", asbytes=True))
    assert list(chunks(work(packed), by_reference=True)) == list(chunks(work(traces), by_reference=False))
    assert is_referable(work(traces), 0)
    assert not is_referable(work(packed), 0)


@pytest.mark.parametrize(("name", "chunk_bytes"), [("traces", 300), ("table", 300), ("table", 20)])
def test_from_every_place_the_rest_is_cut_the_same(request, name, chunk_bytes):
    path = request.getfixturevalue(name)
    cut = list(chunks(work(path, path, chunk_bytes=chunk_bytes), by_reference=False))
    for number, chunk in enumerate(cut):
        rest = list(chunks(work(path, path, start=chunk.after, chunk_bytes=chunk_bytes), by_reference=False))
        assert rest == cut[number + 1 :]


def test_a_line_longer_than_a_chunk_is_a_chunk(tmp_path):
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"a\n" + b"x" * 100_000 + b"\nb\nc")
    assert [content(chunk) for chunk in chunks(work(path, chunk_bytes=1), False)] == [
        b"a\n",
        b"x" * 100_000 + b"\n",
        b"b\n",
        b"c",
    ]


def test_an_empty_file_is_one_empty_chunk(tmp_path):
    empty, none = tmp_path / "empty.jsonl", tmp_path / "none.parquet"
    empty.write_bytes(b"")
    pq.write_table(pa.table({"reasoning": pa.array([], pa.string())}), none)
    cut = list(chunks(work(empty, none, empty), by_reference=True))
    assert [chunk.after for chunk in cut] == [Cursor(1), Cursor(2), Cursor(3)]


def test_row_groups_are_chunks_and_large_ones_are_cut(table):
    whole = list(chunks(work(table, chunk_bytes=1 << 20), by_reference=True))
    assert [chunk.payload for chunk in whole] == [Group(table, number) for number in range(4)]
    cut = list(chunks(work(table, chunk_bytes=10), by_reference=True))
    assert all(isinstance(chunk.payload, Part) for chunk in cut)
    assert len(cut) > 4
    rows = pa.Table.from_batches([chunk.payload.batch for chunk in cut])
    assert rows.equals(pq.read_table(table))
    assert is_referable(work(table, chunk_bytes=1 << 20), 0)
    assert not is_referable(work(table, chunk_bytes=10), 0)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("missing.jsonl", None),
        ("array.jsonl", b'[{"reasoning": "x"},\n{"reasoning": "y"}]'),
        ("cut.jsonl.gz", pa.compress(lines([trace(1)]) * 50, "gzip", asbytes=True)[:-200]),
        ("none.jsonl.zst", b"no frame"),
        ("no.parquet", b"PAR1 no"),
        ("empty.parquet", b""),
        ("folder.jsonl", ...),
    ],
)
def test_what_cannot_be_read_is_an_error(tmp_path, name, data):
    path = tmp_path / name
    if data is ...:
        path.mkdir()
    elif data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError, match=name):
        list(chunks(work(path), by_reference=False))
