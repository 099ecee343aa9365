"""The cipher: what was sealed opens with the same secret, purpose, salt and binding, and with nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.errors import SealError
from antidistill.keys import Cipher
from antidistill.keys.cipher import OVERHEAD_BYTES

SECRET = b"0123456789abcdef"


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_was_sealed_opens_and_grows_by_the_overhead(text, bound):
    cipher = Cipher(SECRET, b"purpose")
    sealed = cipher.seal(text, bound)
    assert Cipher(SECRET, b"purpose").open(sealed, bound) == text
    assert len(sealed) == len(text) + OVERHEAD_BYTES


@pytest.mark.parametrize(
    "other",
    [Cipher(b"another secret..", b"purpose"), Cipher(SECRET, b"other purpose"), Cipher(SECRET, b"purpose", b"salt")],
)
def test_another_secret_purpose_or_salt_does_not_open_it(other):
    with pytest.raises(SealError):
        other.open(Cipher(SECRET, b"purpose").seal(b"text", b""), b"")


@given(st.data())
def test_a_changed_bit_or_another_binding_does_not_open(data):
    cipher = Cipher(SECRET, b"purpose")
    sealed = bytearray(cipher.seal(b"some text", b"bound"))
    with pytest.raises(SealError):
        cipher.open(bytes(sealed), b"other")
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        cipher.open(bytes(sealed), b"bound")


@given(st.binary(max_size=40))
def test_bytes_that_were_never_sealed_do_not_open(junk):
    with pytest.raises(SealError):
        Cipher(SECRET, b"purpose").open(junk, b"")
