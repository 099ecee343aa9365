"""Request ids: plain ones of the caller are kept, others replaced."""

from hypothesis import given
from hypothesis import strategies as st

from antidistill.serve.operations import request_id


@given(st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True))
def test_a_plain_id_is_kept(given_id):
    assert request_id(given_id) == given_id


@given(st.text())
def test_no_id_can_break_a_header_or_a_log_line(given_id):
    made = request_id(given_id)
    assert 1 <= len(made) <= 128
    assert made.isascii()
    assert not set(made) & set('\r\n" {}\\')


def test_missing_and_bad_ids_get_a_new_one_each():
    assert len({request_id(bad) for bad in (None, "", "a b", "a\n", "ü", "x" * 129)}) == 6
