"""JSON lines: what does not change leaves byte for byte, and every line is in exactly one place."""

import base64

import orjson
import pytest
from tests.batch.rows import lines, trace

from antidistill import defenses
from antidistill.batch.guardian import Guardian, Settings
from antidistill.batch.ledger import LedgerText
from antidistill.batch.lines import guard_lines
from antidistill.formats.leaks import Leaks

KEY = bytes(range(32))


def run(data, leaks=Leaks.GUARD, before=0):
    spec = defenses.spec(defenses.make("traceguard", key=KEY, k=2))
    guardian = Guardian(Settings(spec, KEY, b"s" * 32, LedgerText.SEALED, leaks))
    return guard_lines(guardian, data, 0, before)


def records(data):
    return [orjson.loads(line) for line in data.splitlines()]


def test_only_the_reasoning_differs():
    rows = [trace(n) for n in range(8)]
    done = run(lines(rows))
    for before, after in zip(rows, records(done.out), strict=True):
        assert list(after) == list(before)
        assert after | {"reasoning": ""} == before | {"reasoning": ""}
    assert done.tally.guarded == 6
    assert done.tally.unchanged == 2
    assert done.tally.rows == 8
    assert done.tally.characters == sum(len(row["reasoning"]) for row in rows)
    removed = sum(len(b["reasoning"]) - len(a["reasoning"]) for b, a in zip(rows, records(done.out), strict=True))
    assert done.tally.removed == removed > 0
    assert done.tally.removed_share == removed / done.tally.characters


ODD = [
    b'{"id": "a" ,  "reasoning":"Fine. That is all there is to say." , "answer":"1.0e0", "big": 123456789012345678901}\r\n',
    b'  {"reasoning": "caf\\u00e9 \\/ is all. There is nothing more to it.", "answer": "\\u0041"}\n',
    b"\n",
    b" \t\r\n",
    b'{"reasoning":null,"answer":"4"}\n',
    b'\xef\xbb\xbf{"reasoning": "A mark in front. It is read all the same.", "answer": "4"}\n',
]


@pytest.mark.parametrize("line", ODD)
def test_a_line_without_edits_leaves_byte_for_byte(line):
    done = run(line)
    assert done.out == line
    assert not done.rejected


def test_escapes_and_white_space_around_an_edit_stay():
    line = b'{"reasoning" :\t"Caf\\u00e9. Wait, no. It is.", "answer": "\\u00e9\\/",  "x": 1E400 }\r\n'
    assert run(line).out == b'{"reasoning" :\t"Caf\\u00e9. It is.", "answer": "\\u00e9\\/",  "x": 1E400 }\r\n'


BAD = [
    (b'{"reasoning": "cut\n', "not whole JSON"),
    (b'{"reasoning": "\xff\xfe", "answer": "4"}\n', "not UTF-8"),
    (b'{"reasoning": "\\ud800 half a pair. Wait, no.", "answer": "4"}\n', "surrogate"),
    (b'["a list"]\n', "array"),
    (b"null\n", "null"),
    (b'{"score": 1}\n', "no column can hold reasoning"),
    (b'{"reasoning": "a\x00b", "answer": "4"}\n', "not whole JSON"),
    (b'{"reasoning": "Wait, I count. Four.", "answer": "4", "completion_tokens": 9}\n', "betray"),
    (b"\x00\x00\x00\n", "not whole JSON"),
]


@pytest.mark.parametrize(("line", "reason"), BAD)
def test_a_bad_line_is_rejected_whole_and_the_others_are_not(line, reason):
    good = lines([trace(1)])
    done = run(good + line + good, before=10)
    assert len(done.out.splitlines()) == 2
    (record,) = records(done.rejected)
    assert record["line"] == 12
    assert reason in record["reason"]
    raw = record["raw"].encode() if "raw" in record else base64.b64decode(record["raw_base64"])
    assert raw == line
    assert done.tally.rejected == 1
    assert sum(done.tally.rejections.values()) == 1
    assert records(done.ledger)[1] == {"shard": 0, "row": 12, "rejected": record["reason"]}


def test_an_escaped_nul_is_text_like_any_other():
    done = run(b'{"reasoning": "a\\u0000b. Wait, no. Four.", "answer": "4"}\n')
    assert done.out == b'{"reasoning": "a\\u0000b. Four.", "answer": "4"}\n'


def test_the_last_line_may_lack_its_end():
    data = lines([trace(1), trace(2)]).rstrip(b"\n")
    assert not run(data).out.endswith(b"\n")
    assert len(run(data).out.splitlines()) == 2


def test_every_row_is_in_the_ledger_once():
    data = lines([trace(1), trace(7)]) + b"\n" + b"broken\n" + b'{"messages": []}\n' + lines([trace(2)])
    entries = records(run(data).ledger)
    assert [entry["row"] for entry in entries] == [1, 2, 4, 5, 6]
    assert [entry.get("unchanged") for entry in entries] == [None, "nothing to edit", None, "no reasoning", None]


def test_a_row_that_splicing_would_not_give_back_is_kept_whole():
    raw = '{"reasoning": "So 44. Wait, 88 ÷ 2. Yes.", "answer": "44"}\n'.encode()
    done = run(raw)
    assert done.out == b'{"reasoning": "So 44. Yes.", "answer": "44"}\n'
    assert records(done.ledger)[0]["whole_row"] is True
    escaped = orjson.dumps(trace(1)).decode().encode("ascii", "backslashreplace") + b"\n"
    assert "whole_row" not in records(run(escaped).ledger)[0]


def test_dropped_values_are_gone():
    done = run(lines([trace(1) | {"num_tokens": 12}]), Leaks.DROP)
    assert "num_tokens" not in records(done.out)[0]
    assert records(done.ledger)[0]["whole_row"] is True


def test_nothing_that_was_removed_is_in_the_output_or_the_ledger():
    done = run(lines([trace(1)]))
    assert b"is that right" not in done.out + done.ledger
