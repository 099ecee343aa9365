"""Row groups of several files are one file, as if it had been written at once."""

import io
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antidistill.batch.rowgroups import MAGIC, joined_footer, number_groups, take_apart
from antidistill.batch.thrift import Field

TABLE = pa.table({
    "text": [f"row {n} " * (n % 9) for n in range(500)],
    "maybe": [None if n % 3 else n for n in range(500)],
    "deep": [[{"role": "user", "content": str(n)}] * (n % 4) for n in range(500)],
})  # fmt: skip


def as_file(table, **options):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def join(tables, **options):
    joined, footers = bytearray(MAGIC), []
    for table in tables:
        body, footer = take_apart(as_file(table, **options))
        footers.append((footer, len(joined)))
        joined += body
    return bytes(joined + joined_footer(footers))


@pytest.mark.parametrize("cuts", [[0, 500], [0, 1, 2, 499, 500], [0, 0, 250, 250, 500], list(range(0, 501, 20))])
@pytest.mark.parametrize(
    "options", [{}, {"compression": "zstd"}, {"write_page_index": True}, {"use_dictionary": False, "version": "1.0"}]
)
def test_joined_parts_read_as_the_whole(cuts, options):
    parts = [TABLE.slice(start, end - start) for start, end in pairwise(cuts)]
    file = pq.ParquetFile(io.BytesIO(join(parts, **options)))
    assert file.read().equals(TABLE)
    assert file.metadata.num_rows == 500
    assert file.metadata.num_row_groups == len(parts)
    at_once = pq.ParquetFile(pa.BufferReader(as_file(TABLE, **options)))
    assert file.schema_arrow.equals(at_once.schema_arrow, check_metadata=True)
    groups = [file.read_row_group(number) for number in range(len(parts))]
    assert [group.num_rows for group in groups] == [part.num_rows for part in parts]


def test_statistics_are_those_of_each_part():
    file = pq.ParquetFile(io.BytesIO(join([TABLE.slice(0, 30), TABLE.slice(30)])))
    first = file.metadata.row_group(0).column(1).statistics
    assert (first.min, first.max, first.null_count) == (0, 27, 20)


def test_no_rows_are_a_file_too():
    file = pq.ParquetFile(io.BytesIO(join([TABLE.slice(0, 0)])))
    assert file.read().equals(TABLE.slice(0, 0))


def test_places_of_row_groups_count_on_until_16_bits_are_full():
    few = [{7: Field(4, 0)} for _ in range(3)]
    number_groups(few)
    assert [group[7].value for group in few] == [0, 1, 2]
    many = [{7: Field(4, 0)} for _ in range(2**15)]
    number_groups(many)
    assert not any(many)
