"""Results kept as they come: what survives a run that was killed, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.anchors.journal import Journal, fingerprint
from antidistill.errors import OutputError, UsageError

JOB = {"made": "test", "temperature": 0.5}
RECORDS = [
    {"n": 1, "values": [0.1, None]},
    {"n": 2, "values": np.array([0.1 + 0.2, 1e-300])},
    {"n": 3, "text": "ß\n\u2028"},
]


def plain(record):
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in record.items()}


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_file_cut_anywhere_keeps_its_whole_records_and_goes_on(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("journal") / "deep" / "results.jsonl"
    journal = Journal(path, JOB)
    for record in RECORDS:
        journal.append(record)
    assert list(journal) == list(Journal(path, JOB)) == [plain(record) for record in RECORDS]
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:cut])
    whole = max(content[:cut].count(b"\n") - 1, 0)
    again = Journal(path, JOB)
    assert list(again) == [plain(record) for record in RECORDS[:whole]]
    for record in RECORDS[whole:]:
        again.append(record)
    assert path.read_bytes() == content


def test_without_a_file_records_stay_in_memory():
    journal = Journal(None, JOB)
    journal.append(RECORDS[1])
    assert list(journal) == [plain(RECORDS[1])]


@pytest.mark.parametrize("content", ["nothing\n", "[1]\n", '{"n": 1}\n', '{"job": 3}\n'])
def test_a_file_that_is_no_journal_is_refused_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "other.txt"
    path.write_text(content)
    with pytest.raises(UsageError, match="no journal of results.*name another file"):
        Journal(path, JOB)
    assert path.read_text() == content


def test_another_job_is_refused_by_what_differs(tmp_path):
    path = tmp_path / "results.jsonl"
    Journal(path, JOB).append(RECORDS[0])
    with pytest.raises(UsageError, match="made with another model, temperature"):
        Journal(path, {"made": "test", "temperature": 0.6, "model": "m"})


def test_a_place_that_cannot_be_written_or_read_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        Journal(tmp_path / "file" / "results.jsonl", JOB).append(RECORDS[0])
    with pytest.raises(OutputError, match="cannot be read"):
        Journal(tmp_path, JOB)


def test_equal_values_have_one_fingerprint():
    assert fingerprint("a", [1, 2]) == fingerprint("a", np.array([1, 2]))
    assert fingerprint("a", [1, 2]) != fingerprint("a", [2, 1])
