"""Which files a path names, and what their rows are, whole or damaged."""

import gzip

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from antidistill.errors import InputError, RowError
from antidistill.formats import sources
from antidistill.formats.files import lines, numbered_rows

ROWS = [{"id": n, "reasoning": f"So {n}."} for n in range(3)]
DATA = b"".join(orjson.dumps(row) + b"\n" for row in ROWS)


@pytest.fixture
def folder(tmp_path):
    for name in ["b/2.jsonl", "b/10.PARQUET", "1.ndjson.gz", "0.json.zst", "notes.txt", "README.md"]:
        _touch(tmp_path / name)
    for name in [".cache/x.jsonl", "_tmp/x.jsonl", "b/.x.jsonl.part", "dataset_info.json", "1.jsonl.rejected.jsonl"]:
        _touch(tmp_path / name)
    return tmp_path


def _touch(path):
    path.parent.mkdir(exist_ok=True)
    path.touch()


def names(found, folder):
    return [str(path.relative_to(folder)) for path in found]


def test_folder(folder):
    assert names(sources(folder), folder) == ["0.json.zst", "1.ndjson.gz", "b/10.PARQUET", "b/2.jsonl"]


def test_pattern(folder):
    assert names(sources(f"{folder}/**/*"), folder) == names(sources(folder), folder)
    assert names(sources(f"{folder}/**/*.jsonl"), folder) == ["b/2.jsonl"]
    assert names(sources(f"{folder}/b/*"), folder) == ["b/10.PARQUET", "b/2.jsonl"]


def test_what_is_named_exactly_is_read(folder):
    assert names(sources(folder / "1.jsonl.rejected.jsonl"), folder) == ["1.jsonl.rejected.jsonl"]
    assert names(sources(folder / "_tmp"), folder) == names(sources(f"{folder}/_tmp/*"), folder) == ["_tmp/x.jsonl"]


def test_pattern_below_the_working_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert list(map(str, sources("*.gz"))) == ["1.ndjson.gz"]


def test_one_file_whose_name_looks_like_a_pattern(tmp_path):
    (tmp_path / "a[1].jsonl").touch()
    assert names(sources(tmp_path / "a[1].jsonl"), tmp_path) == ["a[1].jsonl"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("none.jsonl", "does not exist: give a file, a folder of shards or a pattern"),
        ("notes.txt", "its name must end in .jsonl"),
        ("*.csv", "no file that ends in .jsonl.* matches"),
        ("empty", "holds no file that ends in .jsonl"),
    ],
)
def test_paths_that_name_nothing(folder, path, says):
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match=says):
        sources(folder / path)


PACK = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("suffix", PACK)
def test_lines_of_every_packing(tmp_path, suffix):
    file = tmp_path / f"t.jsonl{suffix}"
    file.write_bytes(PACK[suffix](DATA[:9]) + PACK[suffix](DATA[9:]))  # two members, as parallel compressors write
    assert list(lines(file)) == DATA.splitlines(keepends=True)
    assert [row for _, row in numbered_rows(file)] == ROWS


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: b"x" * 40], ids=["cut off", "damaged"])
def test_damaged_packing(tmp_path, suffix, spoil):
    file = tmp_path / f"t.jsonl{suffix}"
    file.write_bytes(spoil(PACK[suffix](DATA * 1000)))
    with pytest.raises(InputError, match="damaged or cut off"):
        list(lines(file))


def test_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        list(lines(tmp_path))


def test_line_numbers_count_blank_lines(tmp_path):
    file = tmp_path / "t.jsonl"
    file.write_bytes(b'\n{"a": 1}\n  \r\n{"a": 2}')
    assert list(numbered_rows(file)) == [(2, {"a": 1}), (4, {"a": 2})]


def test_parquet_rows_are_numbered_over_row_groups(tmp_path):
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "t.parquet", row_group_size=2)
    assert list(numbered_rows(tmp_path / "t.parquet")) == list(enumerate(ROWS, 1))


@pytest.mark.parametrize(
    ("name", "data", "error", "says"),
    [
        ("t.jsonl", b'{"a": 1}\n{"a": \n', RowError, "t.jsonl, line 2: the line is not whole JSON"),
        ("t.json", b'[\n{"a": 1}\n]', InputError, "t.json is one JSON array: write one object a line"),
        ("t.parquet", b"", InputError, "t.parquet is no Parquet file"),
        ("t.parquet", b"PAR1 and more bytes PAR1", InputError, "t.parquet is no Parquet file"),
    ],
)
def test_bad_files(tmp_path, name, data, error, says):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(error, match=says):
        list(numbered_rows(tmp_path / name))


def test_empty_file_has_no_rows(tmp_path):
    (tmp_path / "t.jsonl").touch()
    assert list(numbered_rows(tmp_path / "t.jsonl")) == []


def test_line_of_many_megabytes(tmp_path):
    file = tmp_path / "t.jsonl"
    text = "So 4. " * 2_000_000
    file.write_bytes(orjson.dumps({"reasoning": text}) + b"\n" + DATA)
    rows = [row for _, row in numbered_rows(file)]
    assert rows == [{"reasoning": text}, *ROWS]
