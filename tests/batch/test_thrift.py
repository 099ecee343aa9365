"""Any struct survives a round trip, byte for byte where it came from a Parquet footer."""

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from antidistill.batch import thrift
from antidistill.batch.rowgroups import take_apart
from antidistill.batch.thrift import Field, Mapping, Sequence

INTEGER, BINARY, LIST, MAP, STRUCT = 6, 8, 9, 11, 12
integers = st.integers(-(2**63), 2**63 - 1)
scalars = st.one_of(
    st.sampled_from([Field(1, True), Field(2, False)]),
    st.binary(min_size=1, max_size=1).map(lambda value: Field(3, value)),
    integers.map(lambda value: Field(INTEGER, value)),
    st.binary(min_size=8, max_size=8).map(lambda value: Field(7, value)),
    st.binary(max_size=200).map(lambda value: Field(BINARY, value)),
    st.lists(integers, max_size=40).map(lambda items: Field(LIST, Sequence(INTEGER, items))),
    st.lists(st.tuples(integers, st.binary(max_size=3)), min_size=1, max_size=4).map(
        lambda items: Field(MAP, Mapping((INTEGER, BINARY), items))
    ),
)
structs = st.recursive(
    st.dictionaries(st.integers(1, 40), scalars, max_size=5),
    lambda inner: st.dictionaries(st.integers(1, 40), inner.map(lambda struct: Field(STRUCT, struct)), max_size=4),
    max_leaves=8,
)


@given(structs)
def test_a_struct_survives(struct):
    assert thrift.loads(thrift.dumps(struct)) == struct


def test_a_real_footer_survives_byte_for_byte():
    sink = pa.BufferOutputStream()
    rows = {"text": ["é", None], "many": [[1.5, 2.5], []], "deep": [{"a": [{"b": True}]}, None]}
    pq.write_table(pa.table(rows), sink, write_page_index=True, store_decimal_as_integer=True)
    footer = take_apart(sink.getvalue()).footer
    assert thrift.dumps(thrift.loads(footer)) == footer
