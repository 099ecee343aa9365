"""Law: ledger + guarded file = original file, exactly. And a clear error where they do not belong together."""

import json
import shutil

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.batch.rows import chat, lines, trace
from tests.texts import reasonings

from antidistill.batch.ledger import LedgerText
from antidistill.batch.restore import restore_files
from antidistill.errors import InputError, KeyFileError, LedgerError, OutputError
from antidistill.formats.leaks import Leaks

METHODS = ["traceguard", "marker-words", "random-sentences", "branches", "exchange", "steps"]


@pytest.fixture
def guarded(guard, traces, tmp_path):
    """A guarded file with its ledger."""
    out, ledger = tmp_path / "guarded.jsonl", tmp_path / "ledger.jsonl"
    guard(traces, out, ledger=ledger)
    return out, ledger


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("text", [LedgerText.SEALED, LedgerText.PLAIN])
def test_lines_come_back_byte_for_byte(guard, traces, tmp_path, key_file, method, text):
    out, ledger, back = tmp_path / "guarded.jsonl", tmp_path / "ledger.jsonl", tmp_path / "back.jsonl"
    summary = guard(traces, out, ledger=ledger, ledger_text=text, method=method, options={})
    assert summary.tally.guarded > 0
    assert out.read_bytes() != traces.read_bytes()
    assert restore_files(out, ledger, back, key_file=key_file) == (60, 0)
    assert back.read_bytes() == traces.read_bytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(reasonings, st.booleans(), st.sampled_from(["\n", "\r\n", " \n"]), st.booleans()), max_size=5),
    st.sampled_from(METHODS),
)
def test_any_lines_come_back(guard, tmp_path, key_file, texts, method):
    rows = []
    for text, escaped, end, blank in texts:
        row = {"id": "x", "text": f"Copy: {text}", "reasoning": text, "answer": "4", "ä": 1.0}
        rows.append(json.dumps(row, ensure_ascii=escaped).encode())
        rows.append(end.encode() + b"\n" * blank)
    source, out, ledger = tmp_path / "any.jsonl", tmp_path / "any.out.jsonl", tmp_path / "any.ledger"
    source.write_bytes(b"".join(rows))
    summary = guard(source, out, ledger=ledger, force=True, method=method, options={}, leaks=Leaks.KEEP)
    assert summary.tally.rejected == 0
    restore_files(out, ledger, tmp_path / "back.jsonl", key_file=key_file, force=True)
    assert (tmp_path / "back.jsonl").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("leaks", [Leaks.DROP, Leaks.KEEP])
def test_parquet_comes_back_as_an_equal_table(guard, tmp_path, key_file, leaks):
    rows = [chat(n) | {"token_count": n, "deep": {"num_tokens": n}} for n in range(20)]
    rows[3]["messages"] = []
    table = pa.Table.from_pylist(rows).replace_schema_metadata({"made": "by hand"})
    source, out, ledger = tmp_path / "in.parquet", tmp_path / "out.parquet", tmp_path / "ledger.jsonl"
    pq.write_table(table, source, row_group_size=6)
    guard(source, out, ledger=ledger, leaks=leaks)
    assert ("token_count" in pq.read_schema(out).names) == (leaks is Leaks.KEEP)
    assert not pq.read_table(out, columns=["messages"]).equals(table.select(["messages"]))
    assert restore_files(out, ledger, tmp_path / "back.parquet", key_file=key_file) == (20, 0)
    assert pq.read_table(tmp_path / "back.parquet").equals(pq.read_table(source), check_metadata=True)


def test_rejected_lines_return_to_their_places(guard, tmp_path, key_file):
    source, out, ledger = tmp_path / "in.jsonl", tmp_path / "out.jsonl", tmp_path / "ledger.jsonl"
    good = [lines([trace(n)]) for n in range(4)]
    source.write_bytes(b"bad\n" + good[1] + b"\n\n" + b"\xff\n" + b"\n" + good[2] + b"{}\n" + good[3] + b"cut")
    assert guard(source, out, ledger=ledger).tally.rejected == 4
    rejected = tmp_path / "out.jsonl.rejected.jsonl"
    assert restore_files(out, ledger, tmp_path / "part.jsonl", key_file=key_file) == (3, 4)
    assert restore_files(out, ledger, tmp_path / "all.jsonl", key_file=key_file, rejected=rejected) == (7, 0)
    assert (tmp_path / "all.jsonl").read_bytes() == source.read_bytes()
    assert (tmp_path / "part.jsonl").read_bytes() == good[1] + b"\n\n\n" + good[2] + good[3]


def test_rejected_parquet_rows_return_to_their_places(guard, tmp_path, key_file):
    texts = [trace(n)["reasoning"].encode() if n % 4 else b"\xff" for n in range(13)]
    raw = pa.array(texts, pa.binary())
    table = pa.table(
        {"n": range(13), "reasoning": pa.StringArray.from_buffers(13, *raw.buffers()[1:]), "answer": ["4"] * 13}
    )
    source, out, ledger = tmp_path / "in.parquet", tmp_path / "out.parquet", tmp_path / "ledger.jsonl"
    pq.write_table(table, source, row_group_size=5)
    assert guard(source, out, ledger=ledger).tally.rejected == 4
    rejected = tmp_path / "out.parquet.rejected.jsonl"
    assert restore_files(out, ledger, tmp_path / "back.parquet", key_file=key_file, rejected=rejected) == (13, 0)
    assert pq.read_table(tmp_path / "back.parquet").equals(table)
    assert restore_files(out, ledger, tmp_path / "part.parquet", key_file=key_file) == (9, 4)


def test_a_folder_and_compressed_files_come_back(guard, traces, tmp_path, key_file):
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(traces, folder / "a.jsonl")
    (folder / "deep" / "b.jsonl.zst").write_bytes(pa.compress(traces.read_bytes(), "zstd", asbytes=True))
    (folder / "deep" / "c.jsonl.gz").write_bytes(pa.compress(b"", "gzip", asbytes=True))
    guard(folder, tmp_path / "out", ledger=tmp_path / "ledger.jsonl")
    assert restore_files(tmp_path / "out", tmp_path / "ledger.jsonl", tmp_path / "back", key_file=key_file) == (120, 0)
    assert (tmp_path / "back" / "a.jsonl").read_bytes() == traces.read_bytes()
    packed = (tmp_path / "back" / "deep" / "b.jsonl.zst").read_bytes()
    assert pa.input_stream(pa.py_buffer(packed), compression="zstd").read() == traces.read_bytes()
    assert (tmp_path / "back" / "deep" / "c.jsonl.gz").exists()


def test_the_key_beside_the_ledger_is_found(guard, traces, tmp_path):
    out, ledger = tmp_path / "out.jsonl", tmp_path / "ledger.jsonl"
    guard(traces, out, ledger=ledger, key_file=None)
    assert restore_files(out, ledger, tmp_path / "back.jsonl") == (60, 0)


def test_a_ledger_of_hashes_is_refused(guard, traces, tmp_path, key_file):
    out, ledger = tmp_path / "out.jsonl", tmp_path / "ledger.jsonl"
    guard(traces, out, ledger=ledger, ledger_text=LedgerText.HASH)
    with pytest.raises(LedgerError, match="holds only hashes"):
        restore_files(out, ledger, tmp_path / "back.jsonl", key_file=key_file)


def test_a_wrong_key_is_named(guarded, tmp_path):
    wrong = tmp_path / "wrong.key"
    wrong.write_bytes(b"x" * 32)
    with pytest.raises(KeyFileError, match="sealed with key"):
        restore_files(*guarded, tmp_path / "back.jsonl", key_file=wrong)
    with pytest.raises(KeyFileError, match="cannot be read"):
        restore_files(*guarded, tmp_path / "back.jsonl", key_file=tmp_path / "nowhere")


@pytest.mark.parametrize("text", [LedgerText.SEALED, LedgerText.PLAIN])
@pytest.mark.parametrize(
    "change", ["other file", "more rows", "fewer rows", "other order", "other text", "other answer"]
)
def test_what_does_not_belong_together_is_an_error(guard, traces, tmp_path, key_file, text, change):
    out, ledger = tmp_path / "out.jsonl", tmp_path / "ledger.jsonl"
    guard(traces, out, ledger=ledger, ledger_text=text)
    rows = out.read_bytes().splitlines(keepends=True)
    changed = {
        "other file": lines([trace(n) for n in range(100, 160)]),
        "more rows": b"".join([*rows, rows[-1]]),
        "fewer rows": b"".join(rows[:-1]),
        "other order": b"".join([rows[2], rows[1], rows[0], *rows[3:]]),
        "other text": b"".join(rows).replace(b"metres", b"meters", 1),
        "other answer": b"".join(rows).replace(b'"answer":"4"', b'"answer":"5"', 1),
    }
    out.write_bytes(changed[change])
    with pytest.raises(LedgerError):
        restore_files(out, ledger, tmp_path / "back.jsonl", key_file=key_file)
    assert not (tmp_path / "back.jsonl").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"row":5,', b'"row":6,'), (b'"trace":"t4"', b'"trace":"t5"'), (b'"sealed":"', b'"sealed":"A'), (b"[[", b"[[[[")],
)
def test_a_changed_ledger_is_an_error(guarded, tmp_path, key_file, old, new):
    out, ledger = guarded
    content = ledger.read_bytes()
    at = content.index(old, content.index(b'"row":5,'))
    ledger.write_bytes(content[:at] + new + content[at + len(old) :])
    with pytest.raises(LedgerError):
        restore_files(out, ledger, tmp_path / "back.jsonl", key_file=key_file)


def test_a_cut_ledger_is_an_error(guarded, tmp_path, key_file):
    out, ledger = guarded
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(LedgerError, match="not in the ledger"):
        restore_files(out, ledger, tmp_path / "back.jsonl", key_file=key_file)


def test_another_file_of_rejected_rows_is_an_error(guard, tmp_path, key_file):
    source, out, ledger = tmp_path / "in.jsonl", tmp_path / "out.jsonl", tmp_path / "ledger.jsonl"
    source.write_bytes(lines([trace(1)]) + b"bad\n")
    guard(source, out, ledger=ledger)
    other = tmp_path / "other.jsonl"
    other.write_bytes(b'{"shard": 0, "line": 1, "raw": "x"}\n')
    with pytest.raises(InputError, match="does not hold row 2"):
        restore_files(out, ledger, tmp_path / "back.jsonl", key_file=key_file, rejected=other)
    with pytest.raises(InputError, match="cannot be read"):
        restore_files(out, ledger, tmp_path / "back.jsonl", key_file=key_file, rejected=tmp_path / "nowhere")


def test_more_files_than_the_ledger_knows_are_an_error(guarded, tmp_path, key_file):
    out, ledger = guarded
    folder = tmp_path / "many"
    folder.mkdir()
    shutil.copy(out, folder / "a.jsonl")
    shutil.copy(out, folder / "b.jsonl")
    with pytest.raises(LedgerError, match="1 files, not of 2"):
        restore_files(folder, ledger, tmp_path / "back", key_file=key_file)


def test_files_that_are_there_are_not_replaced_unless_forced(guarded, tmp_path, key_file):
    back = tmp_path / "back.jsonl"
    back.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        restore_files(*guarded, back, key_file=key_file)
    assert back.read_bytes() == b"mine"
    restore_files(*guarded, back, key_file=key_file, force=True)
    assert back.read_bytes() != b"mine"


def changed_answer(row):
    return row | {"answer": row["answer"] + "!"}


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_changed_answer_is_noticed(guard, tmp_path, key_file, kind, whole):
    rows = [
        trace(n) | ({"n_tokens": 60} if whole else {}) for n in range(1, 6)
    ]  # dropped, so the ledger holds whole rows
    source, out, ledger = (tmp_path / f"{name}.{kind}" for name in ("in", "out", "ledger"))
    write_rows(source, rows)
    guard(source, out, ledger=ledger, leaks=Leaks.DROP)
    kept = read_rows(out)
    write_rows(out, [changed_answer(row) if number == 3 else row for number, row in enumerate(kept)])
    with pytest.raises(LedgerError, match="row 4 .*chang"):
        restore_files(out, ledger, tmp_path / f"again.{kind}", key_file=key_file)
    write_rows(out, kept)
    restore_files(out, ledger, tmp_path / f"again.{kind}", key_file=key_file)
    assert read_rows(tmp_path / f"again.{kind}") == rows


def write_rows(path, rows):
    path.write_bytes(lines(rows)) if path.suffix == ".jsonl" else pq.write_table(pa.Table.from_pylist(rows), path)


def read_rows(path):
    return [orjson.loads(line) for line in path.open()] if path.suffix == ".jsonl" else pq.read_table(path).to_pylist()


def test_restored_parquet_keeps_the_row_groups(guard, table, tmp_path, key_file):
    out, ledger, again = tmp_path / "out.parquet", tmp_path / "ledger", tmp_path / "again.parquet"
    guard(table, out, ledger=ledger)
    restore_files(out, ledger, again, key_file=key_file)
    counts = [
        [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        for file in map(pq.ParquetFile, (table, again))
    ]
    assert counts[0] == counts[1]
