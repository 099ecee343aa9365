"""Sealed text opens with the right key, salt and binding, and with nothing else."""

import pytest

from antidistill.batch.seal import Sealer, new_salt
from antidistill.errors import LedgerError

KEY, SALT = b"k" * 32, b"s" * 32


def test_sealed_text_opens_again():
    sealed = Sealer(KEY, SALT).seal("Wait, 等等".encode(), b"row 1")
    assert b"Wait" not in sealed
    assert Sealer(KEY, SALT).open(sealed.decode(), b"row 1").decode() == "Wait, 等等"


@pytest.mark.parametrize(
    ("key", "salt", "bound"), [(b"x" * 32, SALT, b"row 1"), (KEY, b"x" * 32, b"row 1"), (KEY, SALT, b"row 2")]
)
def test_another_key_salt_or_row_does_not_open_it(key, salt, bound):
    sealed = Sealer(KEY, SALT).seal(b"text", b"row 1").decode()
    with pytest.raises(LedgerError):
        Sealer(key, salt).open(sealed, bound)


@pytest.mark.parametrize("sealed", ["", "AAAA", "no base64!", "é", None])
def test_broken_seals_are_an_error(sealed):
    with pytest.raises(LedgerError):
        Sealer(KEY, SALT).open(sealed, b"")


def test_every_changed_byte_is_noticed():
    sealed = bytearray(Sealer(KEY, SALT).seal(b"some text", b""))
    for position in range(len(sealed) - 4):  # the last characters carry bits that do not count
        changed = bytearray(sealed)
        changed[position] = ord("A") if changed[position] != ord("A") else ord("B")
        with pytest.raises(LedgerError):
            Sealer(KEY, SALT).open(changed.decode(), b"")


def test_the_same_text_is_sealed_differently_each_time():
    sealer = Sealer(KEY, SALT)
    assert len({sealer.seal(b"text", b"") for _ in range(100)}) == 100


def test_salts_differ():
    assert new_salt() != new_salt()
    assert len(new_salt()) == 32
