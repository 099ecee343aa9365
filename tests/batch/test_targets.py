"""Which files a run writes, and which calls are refused before anything is written."""

import pytest

from antidistill.batch.targets import check_absent, targets
from antidistill.errors import OutputError, UsageError
from antidistill.formats import sources


def plan(source, out, ledger=None):
    return targets(source, sources(source), out, ledger)


@pytest.fixture
def folder(tmp_path):
    for name in ("a.jsonl", "b.parquet", "deep/a.jsonl.gz"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "in"


def test_a_file_becomes_a_file(traces, tmp_path):
    files = plan(traces, tmp_path / "out.jsonl.zst", tmp_path / "ledger")
    assert files.files == [tmp_path / name for name in ("out.jsonl.zst", "out.jsonl.zst.rejected.jsonl", "ledger")]
    assert files.packings == ("zstd",)


def test_a_folder_becomes_a_folder_with_the_same_names(folder, tmp_path):
    files = plan(folder, tmp_path / "out")
    assert list(files.shards) == [tmp_path / "out" / name for name in ("a.jsonl", "b.parquet", "deep/a.jsonl.gz")]
    assert files.packings == (None, None, "gzip")
    assert files.rejected == tmp_path / "out.rejected.jsonl"


def test_a_pattern_becomes_a_folder(folder, tmp_path):
    files = plan(folder / "*.jsonl", tmp_path / "out")
    assert list(files.shards) == [tmp_path / "out" / "a.jsonl"]


@pytest.mark.parametrize(
    ("source", "out", "message"),
    [
        ("in/a.jsonl", "in/a.jsonl", "is an input file"),
        ("in/a.jsonl", "in/../in/a.jsonl", "is an input file"),
        ("in", "in", "is an input file"),
        ("in", "in/guarded", "the next run would take it for input"),
        ("in", "out.jsonl", "must be a folder"),
        ("in/**/*.jsonl*", "out", None),
        ("in/a.jsonl", "out.parquet", "keeps the kind of file"),
        ("in/b.parquet", "out.jsonl", "keeps the kind of file"),
        ("in/a.jsonl", "out.txt", "keeps the kind of file"),
        ("in/a.jsonl", "in", "must be a file too"),
    ],
)
def test_what_does_not_fit_is_refused(folder, tmp_path, source, out, message):
    if message is None:
        assert len(plan(tmp_path / source, tmp_path / out).shards) == 2
        return
    with pytest.raises(UsageError, match=message):
        plan(tmp_path / source, tmp_path / out)


def test_a_link_to_the_input_is_the_input(traces, tmp_path):
    (tmp_path / "link.jsonl").symlink_to(traces)
    with pytest.raises(UsageError, match="is an input file"):
        plan(traces, tmp_path / "link.jsonl")


def test_files_of_one_name_in_one_folder_are_refused(folder, tmp_path):
    (folder / "deep" / "a.jsonl").write_bytes(b"")
    with pytest.raises(UsageError, match=r"several files named a\.jsonl"):
        plan(folder / "**" / "*.jsonl", tmp_path / "out")


@pytest.mark.parametrize("ledger", ["out.jsonl", "out.jsonl.rejected.jsonl", "traces.jsonl"])
def test_a_ledger_has_a_file_of_its_own(traces, tmp_path, ledger):
    with pytest.raises(UsageError):
        plan(traces, tmp_path / "out.jsonl", tmp_path / ledger)


@pytest.mark.parametrize(("out", "ledger"), [("no/out.jsonl", "ledger"), ("out.jsonl", "no/ledger")])
def test_a_missing_folder_is_named(traces, tmp_path, out, ledger):
    with pytest.raises(OutputError, match="does not exist"):
        plan(traces, tmp_path / out, tmp_path / ledger)


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.rejected.jsonl", "ledger"])
def test_files_that_are_there_are_named(traces, tmp_path, name):
    files = plan(traces, tmp_path / "out.jsonl", tmp_path / "ledger")
    check_absent(files)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(OutputError, match=f"{name} exists"):
        check_absent(files)
