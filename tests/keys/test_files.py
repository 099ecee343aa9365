"""Key files: never overwritten, never too short, private."""

import stat

import pytest

from antidistill.errors import KeyFileError
from antidistill.keys import key_beside, read_key


def test_a_key_file_is_used_byte_for_byte(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"0123456789abcdef\n")
    assert read_key(path).secret == b"0123456789abcdef\n"


def test_a_missing_key_file_is_named(tmp_path):
    with pytest.raises(KeyFileError, match="nowhere cannot be read"):
        read_key(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"fifteen bytes..", bytes(5000)])
def test_a_key_of_the_wrong_size_is_refused(tmp_path, content):
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match="16 to 4096 bytes"):
        read_key(path)


def test_a_new_key_is_private_and_random(tmp_path):
    one, two = key_beside(tmp_path / "a.jsonl"), key_beside(tmp_path / "b.jsonl")
    assert one.made
    assert one.path == tmp_path / "a.jsonl.key"
    assert one.secret == one.path.read_bytes()
    assert len(one.secret) == 32
    assert one.secret != two.secret
    assert stat.S_IMODE(one.path.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl.key", "b.jsonl.key"]


def test_a_key_that_is_there_is_used_again(tmp_path):
    first = key_beside(tmp_path / "a.jsonl")
    again = key_beside(tmp_path / "a.jsonl")
    assert again.secret == first.secret
    assert not again.made


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(KeyFileError, match="a new key cannot be written"):
        key_beside(tmp_path / "missing" / "a.jsonl")
