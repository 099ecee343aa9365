"""Ledger lines: what they hold, and what they never hold."""

import orjson
import pytest

from antidistill.batch.edited import Edited
from antidistill.batch.ledger import VERSION, Ledger, LedgerText, Recorder, opened
from antidistill.batch.seal import Sealer
from antidistill.errors import LedgerError
from antidistill.formats import Found, Place
from antidistill.trace import Trace

TRACE = Trace("t1", "2+2?", "We add. Wait, 等等. It is four.", "4")
EDITS = [(8, 18, "", "traceguard")]
GUARDED = "We add. It is four."
EDITED = Edited(Found(TRACE, ()), EDITS, GUARDED, "Wait, 等等. ")
PLACES = [Place(("reasoning",), 0, len(GUARDED))]
SEALER = Sealer(b"k" * 32, b"s" * 32)


def raw(text, **more):
    recorder = Recorder("hash", text, SEALER if text is LedgerText.SEALED else None)
    return recorder.line(0, 7, 0, EDITED, PLACES, **more)


def line(text, **more):
    return orjson.loads(raw(text, **more))


def test_a_line_tells_where_the_edits_are():
    fields = line(LedgerText.SEALED)
    assert fields["trace"] == "t1"
    assert (fields["shard"], fields["row"], fields["number"]) == (0, 7, 0)
    assert fields["spec"] == "hash"
    assert fields["edits"] == [[8, 18, 0, "traceguard"]]
    assert fields["at"] == [[["reasoning"], 0, len(GUARDED)]]


@pytest.mark.parametrize("text", [LedgerText.SEALED, LedgerText.PLAIN])
def test_what_was_removed_comes_back(text):
    fields = line(text)
    assert opened(fields, GUARDED, SEALER if text is LedgerText.SEALED else None) == "Wait, 等等. ".encode()


@pytest.mark.parametrize("text", [LedgerText.SEALED, LedgerText.HASH])
def test_plain_text_stands_in_a_ledger_only_if_asked(text):
    assert b"Wait" not in raw(text)
    assert "等".encode() not in raw(text)
    assert b"\\u7b49" not in raw(text)
    assert b"Wait" in raw(LedgerText.PLAIN)


def test_hashes_restore_nothing():
    with pytest.raises(LedgerError, match="only hashes"):
        opened(line(LedgerText.HASH), GUARDED, None)


@pytest.mark.parametrize("text", list(LedgerText))
def test_another_guarded_text_is_noticed(text):
    with pytest.raises(LedgerError):
        opened(line(text), GUARDED + " ", SEALER if text is LedgerText.SEALED else None)


@pytest.mark.parametrize("name", ["row", "shard", "trace", "spec", "answer_sha256", "edits", "at", "number"])
def test_every_field_is_under_the_seal(name):
    fields = line(LedgerText.SEALED)
    with pytest.raises(LedgerError):
        opened(fields | {name: "changed"}, GUARDED, SEALER)


def test_a_seal_outlives_another_layout_of_the_json():
    fields = orjson.loads(orjson.dumps(line(LedgerText.SEALED), option=orjson.OPT_INDENT_2))
    assert opened(fields, GUARDED, SEALER)


def test_a_whole_row_is_kept_instead_of_the_pieces():
    fields = line(LedgerText.SEALED, whole_row=b'{"raw": "line"}\n')
    assert fields["whole_row"] is True
    assert opened(fields, GUARDED, SEALER) == b'{"raw": "line"}\n'


def header(**fields):
    return orjson.dumps({"antidistill_ledger": VERSION, "text": "sealed"} | fields) + b"\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a ledger"),
        (b'{"id": "a trace"}\n', "is not a ledger"),
        (b"[1]\n", "not a ledger line"),
        (header(antidistill_ledger=VERSION + 1), "this version"),
        (header() + b'{"row": 1, "shard"', "not JSON"),
        (header() + b"[]\n", "not a ledger line"),
        (header() + b'{"row": 1}\n', "not a ledger line"),
        (b"\xff\xfe\n", "not JSON"),
    ],
)
def test_what_is_no_ledger_is_an_error(tmp_path, content, message):
    path = tmp_path / "ledger"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=message):
        list(Ledger(path).rows())


def test_a_missing_ledger_is_named(tmp_path):
    with pytest.raises(LedgerError, match="nowhere cannot be read"):
        Ledger(tmp_path / "nowhere")


def test_lines_of_one_row_stay_together(tmp_path):
    path = tmp_path / "ledger"
    places = [(0, 1), (0, 2), (0, 2), (0, 4), (1, 4)]
    rows = b"".join(orjson.dumps({"shard": shard, "row": row}) + b"\n" for shard, row in places)
    path.write_bytes(header() + rows)
    found = [(shard, row, [line.number for line in group]) for shard, row, group in Ledger(path).rows()]
    assert found == [(0, 1, [2]), (0, 2, [3, 4]), (0, 4, [5]), (1, 4, [6])]
