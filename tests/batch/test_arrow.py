"""Record batches: schema and other columns as they were, and every row in exactly one place."""

import base64

import orjson
import pyarrow as pa
import pytest
from tests.batch.rows import chat, trace

from antidistill import defenses
from antidistill.batch.account import Account
from antidistill.batch.arrow import dropped_columns, guard_batch, row_from_text, row_text
from antidistill.batch.guardian import Guardian, Settings
from antidistill.batch.ledger import LedgerText
from antidistill.errors import UsageError
from antidistill.formats.leaks import Leaks

KEY = bytes(range(32))


def run(batch, leaks=Leaks.GUARD, before=0):
    spec = defenses.spec(defenses.make("traceguard", key=KEY, k=2))
    guardian = Guardian(Settings(spec, KEY, b"s" * 32, LedgerText.SEALED, leaks))
    account = Account(guardian, 0)
    return guard_batch(guardian, batch, before, account), account


def batch_of(rows, **columns):
    batch = pa.RecordBatch.from_pylist(rows)
    for name, values in columns.items():
        batch = batch.append_column(name, values)
    return batch


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_the_reasoning_changes_and_nothing_else(kind):
    rows = [trace(n) for n in range(9)]
    batch = batch_of(rows)
    position = batch.schema.get_field_index("reasoning")
    batch = batch.set_column(position, pa.field("reasoning", kind), batch["reasoning"].cast(kind))
    guarded, account = run(batch)
    assert guarded.schema.equals(batch.schema, check_metadata=True)
    assert guarded.drop_columns(["reasoning"]).equals(batch.drop_columns(["reasoning"]))
    spec = defenses.make("traceguard", key=KEY, k=2)
    by_hand = [defenses.edit(spec, row["reasoning"], b"") for row in rows]
    assert account.tally.edits == sum(map(len, by_hand)) > 0
    assert account.tally.rows == 9


def test_nested_columns_are_guarded_like_flat_ones():
    flat, _ = run(batch_of([trace(n) for n in range(9)]))
    nested, _ = run(batch_of([chat(n) for n in range(9)]))
    for row, one in zip(flat.to_pylist(), nested.to_pylist(), strict=True):
        assert one["messages"][1]["content"] == f"<think>\n{row['reasoning']}\n</think>\n\n{row['answer']}"
    assert nested["n"].equals(pa.array(range(9)))


def test_slices_of_a_table_are_guarded_like_the_table():
    batch = batch_of([trace(n) for n in range(9)])
    whole, _ = run(batch)
    part, account = run(batch.slice(3, 4), before=3)
    assert part.equals(whole.slice(3, 4))
    assert [orjson.loads(line)["row"] for line in b"".join(account.ledger).splitlines()] == [4, 5, 6, 7]


def test_bytes_that_are_not_utf_8_are_rejected_with_the_row():
    raw = pa.array([b"So. Wait, no. Four.", b"\xff\xfe", b"Hmm, so. Five."]).cast(pa.binary())
    text = pa.StringArray.from_buffers(3, *raw.buffers()[1:])
    batch = pa.RecordBatch.from_arrays(
        [pa.array([1, 2, 3]), text, pa.array(["4", "4", "5"])], ["n", "reasoning", "answer"]
    )
    guarded, account = run(batch, before=100)
    assert guarded["n"].to_pylist() == [1, 3]
    record = orjson.loads(account.rejected[0])
    assert record["line"] == 102
    assert "UTF-8" in record["reason"]
    row = row_from_text(record["raw_arrow_base64"].encode())
    assert row["n"].to_pylist() == [2]
    assert row["reasoning"].cast(pa.binary()).to_pylist() == [b"\xff\xfe"]


def test_a_row_as_text_keeps_every_type():
    row = pa.RecordBatch.from_pylist([{"a": b"\x00", "b": [1.5, None], "c": {"d": "é"}}] * 3).slice(1, 1)
    assert row_from_text(row_text(row)).equals(row)
    assert len(base64.b64decode(row_text(row))) < 2000


def test_columns_that_betray_the_edits_are_refused_dropped_or_kept():
    batch = batch_of([trace(n) for n in range(5)], token_count=pa.array(range(5)))
    features = {name: {"_type": "Value"} for name in batch.schema.names}
    batch = batch.replace_schema_metadata({"huggingface": orjson.dumps({"info": {"features": features}})})
    for policy in (Leaks.GUARD, Leaks.REFUSE):
        with pytest.raises(UsageError, match="token_count"):
            dropped_columns(batch.schema, policy)
    dropped, account = run(batch, Leaks.DROP)
    assert dropped.schema.names == ["id", "prompt", "reasoning", "answer", "score"]
    assert b"token_count" not in b"".join(dropped.schema.metadata.values())
    assert all(orjson.loads(line)["whole_row"] for line in account.ledger)
    kept, _ = run(batch, Leaks.KEEP)
    assert kept.schema.equals(batch.schema)


def test_a_batch_without_rows_is_no_trouble():
    batch = batch_of([trace(1)]).slice(0, 0)
    guarded, account = run(batch)
    assert guarded.equals(batch)
    assert account.tally.rows == 0
