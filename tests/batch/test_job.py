"""Whole runs: the same bytes from any engine and after any interruption, and every row in exactly one place."""

import shutil

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.batch.rows import chat, lines, mixed, trace

import antidistill as ad
from antidistill.batch.job import Engine
from antidistill.batch.restore import restore_files
from antidistill.batch.summary import Summary
from antidistill.errors import BadOption, InputError, KeyFileError, OutputError, UnknownName, UsageError
from antidistill.formats.leaks import Leaks


def test_the_library_and_the_file_agree(guard, traces, tmp_path, key_file):
    guard(traces, tmp_path / "out.jsonl", method="branches", options={"share": 0.3})
    defense = ad.defense("branches", share=0.3, key=key_file.read_bytes())
    by_hand = [ad.guard(one, defense).reasoning for one in ad.read(traces)]
    assert [one.reasoning for one in ad.read(tmp_path / "out.jsonl")] == by_hand


@pytest.mark.parametrize("kind", ["lines", "parquet"])
@pytest.mark.parametrize("method", ["traceguard", "branches"])
def test_any_number_of_workers_gives_the_same_bytes(guard, tmp_path, table, kind, method):
    source = table if kind == "parquet" else mixed(tmp_path / "in.jsonl", bad=(7, 31))
    outputs = []
    small = 10 if kind == "parquet" else 2000
    for jobs, chunk_bytes in ((1, small), (2, small), (1, 1 << 20)):
        out = tmp_path / f"out{jobs}{chunk_bytes}{source.suffix}"
        options = {} if method == "traceguard" else {"share": 0.3}
        summary = guard(source, out, jobs=jobs, chunk_bytes=chunk_bytes, method=method, options=options)
        rejected = tmp_path / f"{out.name}.rejected.jsonl"
        outputs.append((
            pq.read_table(out) if kind == "parquet" and chunk_bytes > small else out.read_bytes(),
            rejected.read_bytes() if rejected.exists() else b"",
            {**summary.to_json(), "seconds": 0, "mb_per_s": 0},
        ))  # fmt: skip
    first, second, large = outputs
    assert first == second
    if kind == "parquet":
        assert pq.read_table(tmp_path / f"out110{source.suffix}").equals(large[0])
    else:
        assert first == large


def test_rows_keep_their_order_and_none_is_lost_or_doubled(guard, tmp_path):
    source = mixed(tmp_path / "in.jsonl", bad=(0, 7, 59))
    summary = guard(source, tmp_path / "out.jsonl", jobs=2, ledger=tmp_path / "ledger")
    tally = summary.tally
    assert (tally.rows, tally.rejected) == (60, 3)
    assert tally.guarded + tally.unchanged == 57
    rejected = {
        orjson.loads(line)["line"] for line in (tmp_path / "out.jsonl.rejected.jsonl").read_bytes().splitlines()
    }
    before = source.read_bytes().splitlines()
    kept = [line for number, line in enumerate(before, 1) if number not in rejected]
    after = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert len(after) == len(kept)
    for old, new in zip(kept, after, strict=True):
        assert (old == new == b"") or orjson.loads(old).keys() == orjson.loads(new).keys()
    ids = [orjson.loads(line).get("id") for line in after if line]
    assert [one for one in ids if one] == [f"t{n}" for n in range(60) if n % 3 and n not in (7, 59)]


def test_a_folder_becomes_a_folder_each_file_with_its_own_schema(guard, traces, table, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(traces, folder / "a.jsonl")
    shutil.copy(table, folder / "b.parquet")
    pq.write_table(pa.Table.from_pylist([chat(n) for n in range(9)]), folder / "c.parquet")
    (folder / "d.jsonl").write_bytes(b"")
    (folder / "README.md").write_text("not a shard")
    summary = guard(folder, tmp_path / "out", ledger=tmp_path / "ledger")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a.jsonl",
        "b.parquet",
        "c.parquet",
        "d.jsonl",
    ]
    assert summary.tally.rows == 129
    assert pq.read_schema(tmp_path / "out" / "c.parquet").equals(pq.read_schema(folder / "c.parquet"))
    restore_files(tmp_path / "out", tmp_path / "ledger", tmp_path / "back", key_file=tmp_path / "secret.key")
    assert (tmp_path / "back" / "a.jsonl").read_bytes() == traces.read_bytes()
    assert pq.read_table(tmp_path / "back" / "c.parquet").equals(pq.read_table(folder / "c.parquet"))


@pytest.mark.parametrize(("suffix", "codec"), [(".gz", "gzip"), (".zst", "zstd")])
def test_the_name_of_the_output_says_how_it_is_compressed(guard, traces, tmp_path, suffix, codec):
    guard(traces, tmp_path / "plain.jsonl")
    guard(traces, tmp_path / f"packed.jsonl{suffix}")
    guard(tmp_path / f"packed.jsonl{suffix}", tmp_path / "again.jsonl", method="none", options={})
    packed = pa.input_stream(str(tmp_path / f"packed.jsonl{suffix}"), compression=codec).read()
    assert packed == (tmp_path / "plain.jsonl").read_bytes() == (tmp_path / "again.jsonl").read_bytes()


def test_parquet_keeps_schema_metadata_and_row_groups(guard, table, tmp_path):
    guard(table, tmp_path / "out.parquet", chunk_bytes=1 << 20)
    before, after = pq.ParquetFile(table), pq.ParquetFile(tmp_path / "out.parquet")
    assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
    assert after.num_row_groups == before.num_row_groups
    assert after.metadata.row_group(0).column(2).compression == "ZSTD"
    assert after.read().drop_columns(["reasoning"]).equals(before.read().drop_columns(["reasoning"]))
    assert not after.read().equals(before.read())


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".parquet"])
def test_no_rows_give_no_rows(guard, tmp_path, suffix):
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([trace(1)]).slice(0, 0), source)
    else:
        source.write_bytes(pa.compress(b"", "gzip", asbytes=True) if suffix.endswith("gz") else b"")
    summary = guard(source, out)
    assert summary.tally.rows == 0
    assert list(ad.read(out)) == []


def test_ids_may_be_missing_or_doubled(guard, tmp_path, key_file):
    rows = [trace(1), trace(1), trace(1) | {"id": None}, {"reasoning": trace(1)["reasoning"], "answer": "4"}]
    source = tmp_path / "in.jsonl"
    source.write_bytes(lines(rows))
    guard(source, tmp_path / "out.jsonl", ledger=tmp_path / "ledger")
    texts = [orjson.loads(line)["reasoning"] for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert len(set(texts[:3])) == 1
    restore_files(tmp_path / "out.jsonl", tmp_path / "ledger", tmp_path / "back.jsonl", key_file=key_file)
    assert (tmp_path / "back.jsonl").read_bytes() == source.read_bytes()


def test_a_line_of_100_megabytes(guard, tmp_path):
    source = tmp_path / "in.jsonl"
    with source.open("wb") as file:
        file.write(b'{"reasoning": "So. Wait, no. ')
        for _ in range(100):
            file.write(b"One more step. " * 70_000)
        file.write(b'It is four.", "answer": "4"}\n' + lines([trace(1)]))
    assert source.stat().st_size > 100e6
    assert guard(source, tmp_path / "out.jsonl").tally.guarded == 2
    assert source.stat().st_size - (tmp_path / "out.jsonl").stat().st_size < 100


def test_without_a_key_file_a_private_one_is_made_beside(guard, traces, tmp_path):
    guard(traces, tmp_path / "a.jsonl", key_file=None)
    guard(traces, tmp_path / "b.jsonl", key_file=None, ledger=tmp_path / "ledger")
    assert (tmp_path / "a.jsonl.key").stat().st_size == 32
    assert (tmp_path / "ledger.key").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "b.jsonl.key").exists()


def test_a_row_says_nothing_of_its_guard(guard, traces, tmp_path):
    guard(traces, tmp_path / "out.jsonl")
    for line in (tmp_path / "out.jsonl").read_bytes().splitlines():
        assert list(orjson.loads(line)) == list(trace(0))


def test_the_certificate_of_a_mix(guard, traces, tmp_path):
    summary = guard(traces, tmp_path / "out.jsonl", mix=0.25)
    record = summary.to_json()
    assert record["certificate"]["auroc_at_most"] == 0.625
    assert record["certificate"]["total_variation_at_most"] == 0.25
    assert "pile" in record["certificate"]["holds_for"]
    assert 0 < record["guarded"] < 35
    assert record["reasons"]["unchanged"]["not drawn by mix"] > 10
    assert any("does not hold for a pile" in line for line in summary.lines())


def test_a_method_that_finds_nothing_says_so(guard, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_bytes(lines([trace(7), trace(14)]))
    assert any("found nothing" in line for line in guard(source, tmp_path / "out.jsonl").lines())
    assert not any(
        "found nothing" in line for line in guard(source, tmp_path / "n.jsonl", method="none", options={}).lines()
    )


def test_a_summary_has_the_fields_of_the_design(guard, traces, tmp_path):
    record = guard(traces, tmp_path / "out.jsonl").to_json()
    fixed = "rows guarded unchanged rejected removed_share removed_sentences edits seconds mb_per_s spec".split()
    assert set(fixed) <= record.keys()
    assert record["rows"] == 60 == record["guarded"] + record["unchanged"] + record["rejected"]
    assert record["removed_sentences"] == 2 * record["guarded"]
    assert record["spec"]["method"] == "traceguard"
    assert "certificate" not in record


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"method": "tracegard"}, UnknownName, "did you mean 'traceguard'"),
        ({"options": {"kk": 1}}, UnknownName, "did you mean 'k'"),
        ({"options": {"k": 0}}, BadOption, "k must be"),
        ({"options": {"k": "many"}}, BadOption, "k must be"),
        ({"options": {"share": 1.5}}, BadOption, "share must be"),
        ({"mix": -1}, BadOption, "mix must be"),
        ({"jobs": 0}, BadOption, "jobs must be"),
    ],
)
def test_a_wrong_call_writes_nothing(guard, traces, tmp_path, fields, error, message):
    before = set(tmp_path.iterdir())
    with pytest.raises(error, match=message):
        guard(traces, tmp_path / "out.jsonl", ledger=tmp_path / "ledger", key_file=None, **fields)
    assert set(tmp_path.iterdir()) == before


def test_a_missing_key_file_writes_nothing(guard, traces, tmp_path):
    before = set(tmp_path.iterdir())
    with pytest.raises(KeyFileError):
        guard(traces, tmp_path / "out.jsonl", key_file=tmp_path / "nowhere")
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("policy", [Leaks.GUARD, Leaks.REFUSE])
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_what_would_betray_the_edits_is_refused_before_anything_is_written(guard, tmp_path, policy, kind):
    source = tmp_path / f"in.{kind}"
    rows = [trace(n) | {"token_count": n + 9} for n in range(5)]
    source.write_bytes(lines(rows)) if kind == "jsonl" else pq.write_table(pa.Table.from_pylist(rows), source)
    before = set(tmp_path.iterdir())
    with pytest.raises(UsageError, match="token_count"):
        guard(source, tmp_path / f"out.{kind}", leaks=policy)
    assert set(tmp_path.iterdir()) == before
    assert guard(source, tmp_path / f"out.{kind}", leaks=Leaks.DROP).tally.rejected == 0
    assert b"token_count" not in (tmp_path / f"out.{kind}").read_bytes()


def test_files_that_are_there_stay_unless_forced(guard, traces, tmp_path):
    (tmp_path / "out.jsonl").write_bytes(b"mine")
    with pytest.raises(OutputError, match="--force"):
        guard(traces, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == b"mine"
    guard(traces, tmp_path / "out.jsonl", force=True)
    assert (tmp_path / "out.jsonl").stat().st_size > 1000


def test_old_rejected_rows_do_not_outlive_a_forced_run(guard, traces, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(traces.read_bytes() + b"bad\n")
    guard(bad, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl.rejected.jsonl").exists()
    guard(traces, tmp_path / "out.jsonl", force=True)
    assert not (tmp_path / "out.jsonl.rejected.jsonl").exists()


@pytest.mark.parametrize("content", [b"PAR1 no", b""])
def test_input_that_is_not_parquet_is_an_error(guard, tmp_path, content):
    (tmp_path / "in.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"in\.parquet"):
        guard(tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert not list(tmp_path.glob(".*"))


def test_a_damaged_column_is_an_error_that_names_the_file(guard, table, tmp_path):
    raw = bytearray(table.read_bytes())
    column = pq.ParquetFile(table).metadata.row_group(2).column(2)
    start = column.dictionary_page_offset or column.data_page_offset
    raw[start : start + 60] = bytes(60)
    (tmp_path / "bad.parquet").write_bytes(raw)
    with pytest.raises(InputError, match=r"bad\.parquet cannot be read"):
        guard(tmp_path / "bad.parquet", tmp_path / "out.parquet", chunk_bytes=1 << 20)


def test_a_run_that_fails_before_it_has_written_anything_leaves_nothing(guard, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(b'[{"reasoning": "Wait."}]\n')
    with pytest.raises(InputError, match="JSON array"):
        guard(tmp_path / "in.jsonl", tmp_path / "out.jsonl", ledger=tmp_path / "ledger", key_file=None)
    assert [path.name for path in tmp_path.iterdir() if path.name != "secret.key"] == ["in.jsonl"]


@pytest.mark.ray
@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "parquet"])
def test_ray_gives_the_same_bytes(guard, table, tmp_path, ray, kind, key_file):
    source = table if kind == "parquet" else mixed(tmp_path / "in.jsonl", bad=(7, 31))
    if kind == "jsonl.gz":
        source = tmp_path / "in.jsonl.gz"
        source.write_bytes(pa.compress((tmp_path / "in.jsonl").read_bytes(), "gzip", asbytes=True))
    here, there = tmp_path / f"here.{kind}", tmp_path / f"there.{kind}"
    one = guard(source, here)
    two = guard(source, there, engine=Engine.RAY, ledger=tmp_path / "ledger")
    assert here.read_bytes() == there.read_bytes()
    assert one.tally == two.tally
    if kind != "parquet":
        assert (tmp_path / f"{here.name}.rejected.jsonl").read_bytes() == (
            tmp_path / f"{there.name}.rejected.jsonl"
        ).read_bytes()
    restore_files(there, tmp_path / "ledger", tmp_path / f"back.{kind}", key_file=key_file)


def test_summary_of_nothing():
    from antidistill.batch.results import Tally

    record = Summary(Tally(), 0, 0.0, '{"method": "none", "mix": null}').to_json()
    assert record["removed_share"] == 0
    assert record["mb_per_s"] == 0
