"""Traces in and out of files."""

import itertools

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.errors import OutputError, RowError
from antidistill.formats import read, write
from antidistill.trace import Trace

R = "Okay, two and two.\nWait, let me check that.\n\nFour it is."
TRACES = [
    Trace("a", "What is 2+2?", R, "4", {"model": "m", "correct": True}),
    Trace("b", "Was ist 2+2? 答え", "", "", {"model": "m", "correct": None}),
]
KINDS = [".jsonl", ".json.gz", ".ndjson.zst", ".parquet"]


@pytest.mark.parametrize("suffix", KINDS)
def test_what_is_written_is_read(tmp_path, suffix):
    write(tmp_path / f"t{suffix}", iter(TRACES))
    assert list(read(tmp_path / f"t{suffix}")) == TRACES
    assert [path.name for path in tmp_path.iterdir()] == [f"t{suffix}"]


@pytest.mark.parametrize("suffix", KINDS)
def test_no_traces(tmp_path, suffix):
    write(tmp_path / f"t{suffix}", [])
    assert list(read(tmp_path / f"t{suffix}")) == []


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(lambda text: f"a {text} b")


@given(
    st.lists(st.builds(Trace, WORDS, WORDS, WORDS, WORDS, st.fixed_dictionaries({"n": st.integers(0, 9), "m": WORDS})))
)
def test_any_text_comes_back(tmp_path_factory, traces):
    file = tmp_path_factory.mktemp("t") / "t.jsonl"
    write(file, traces)
    assert list(read(file)) == traces


def test_real_traces_come_back(shared, tmp_path):
    """Their rows have `response` and `answer`; `answer` is meta, and stays so."""
    traces = list(itertools.islice(read(shared / "traces_gsm8k_4models.parquet"), 20))
    assert traces[0].meta.keys() >= {"model", "answer", "gold", "correct"}
    for name in ("t.jsonl", "t.parquet"):
        write(tmp_path / name, traces)
        assert list(read(tmp_path / name)) == traces


def test_an_answer_in_other_capitals_stays_meta(tmp_path):
    trace = Trace("a", "p", R, "4", {"Answer": "four"})
    write(tmp_path / "t.jsonl", [trace])
    assert list(read(tmp_path / "t.jsonl")) == [trace]


def test_files_one_after_the_other_without_ids(tmp_path):
    (tmp_path / "1.jsonl").write_bytes(b'{"reasoning": "One."}\n{"reasoning": "Two."}\n')
    pq.write_table(pa.table({"thinking": ["Three."], "question": ["3?"]}), tmp_path / "2.parquet")
    traces = list(read(tmp_path))
    assert [(t.id, t.prompt, t.reasoning) for t in traces] == [
        ("1", "", "One."),
        ("2", "", "Two."),
        ("1", "3?", "Three."),
    ]
    assert list(read(str(tmp_path / "*.jsonl"))) == traces[:2]


def test_shards_whose_schema_changes(tmp_path):
    pq.write_table(pa.table({"id": [1], "reasoning": [R], "answer": ["4"]}), tmp_path / "1.parquet")
    columns = {"id": ["2"], "model": ["m"], "answer": ["4"], "reasoning": pa.array([R], pa.large_string())}
    pq.write_table(pa.table(columns), tmp_path / "2.parquet")
    assert [(t.id, t.reasoning, t.meta) for t in read(tmp_path)] == [("1", R, {}), ("2", R, {"model": "m"})]


def test_mixed_dialects_in_one_file(tmp_path):
    rows = [
        {"id": 1, "reasoning": R, "answer": "4", "model": "m"},
        {
            "id": 2,
            "messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": f"<think>{R}</think>4"}],
        },
        {"id": 3, "response": "No reasoning."},
        {"id": 4, "generations": [f"<think>{R}</think>4", "<think>Or 5.</think>5"], "source": "s"},
    ]
    (tmp_path / "t.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    traces = list(read(tmp_path / "t.jsonl"))
    assert [t.id for t in traces] == ["1", "2", "4#1", "4#2"]
    assert [t.answer for t in traces] == ["4", "4", "4", "5"]
    assert [t.meta for t in traces] == [{"model": "m"}, {}, {"source": "s"}, {"source": "s"}]


def test_ids_that_occur_twice_are_kept(tmp_path):
    (tmp_path / "t.jsonl").write_bytes(b'{"id": 1, "reasoning": "A."}\n{"id": 1, "reasoning": "B."}')
    assert [t.id for t in read(tmp_path / "t.jsonl")] == ["1", "1"]


def test_reading_is_lazy(tmp_path):
    (tmp_path / "t.jsonl").write_bytes(b'{"id": 1, "reasoning": "A."}\n{"cut')
    traces = read(tmp_path / "t.jsonl")
    assert next(traces).reasoning == "A."
    with pytest.raises(RowError, match=r"t\.jsonl, line 2"):
        next(traces)


def test_row_of_no_dialect_is_named(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    with pytest.raises(RowError, match=r"t\.parquet, row 1: no column can hold reasoning: the row has a;"):
        list(read(tmp_path / "t.parquet"))


@pytest.mark.parametrize(
    ("name", "meta", "says"),
    [
        ("t.csv", {}, "its name must end in .jsonl"),
        ("t.jsonl", {"prompt": "x"}, "has prompt in its meta"),
        ("t.jsonl", {"Reasoning": "x"}, "has reasoning in its meta"),
        ("t.jsonl", {"x": object()}, "holds what JSON cannot"),
        ("t.parquet", {"x": object()}, "write .jsonl instead"),
        ("missing/t.jsonl", {}, "cannot be written"),
    ],
)
def test_what_cannot_be_written(tmp_path, name, meta, says):
    with pytest.raises(OutputError, match=says):
        write(tmp_path / name, [Trace("a", "p", "r", "a", meta)])
    assert list(tmp_path.iterdir()) == []


def test_meta_that_changes_its_type(tmp_path):
    traces = [Trace(n, "p", R, "a", {"x": x}) for n, x in [("a", 1), ("b", "one")]]
    with pytest.raises(OutputError, match=r"write \.jsonl instead"):
        write(tmp_path / "t.parquet", traces)
    write(tmp_path / "t.jsonl", traces)
    assert list(read(tmp_path / "t.jsonl")) == traces


def test_a_file_is_not_replaced_by_accident(tmp_path):
    write(tmp_path / "t.jsonl", TRACES)
    with pytest.raises(OutputError, match="is there already"):
        write(tmp_path / "t.jsonl", [])
    write(tmp_path / "t.jsonl", TRACES[:1], overwrite=True)
    assert list(read(tmp_path / "t.jsonl")) == TRACES[:1]
