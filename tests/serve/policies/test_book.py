"""Reload: whole or not at all, and a policy in use stays what it was."""

import asyncio

import pytest

from antidistill.errors import AntidistillError, BadPolicy, KeyFileError
from antidistill.serve.policies import PolicyBook

SECRET = b"0123456789abcdef"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("default: {method: traceguard, options: {k: 20}}")
    return path


def default_of(book):
    return book.current.policies[-1]


def test_a_valid_change_is_taken_over_and_the_old_policy_stays_for_who_has_it(file):
    book = PolicyBook(file, secret=SECRET, environment={})
    in_use = default_of(book)
    editor = in_use.defense.begin(b"0" * 32)
    editor.feed("First. Wait")
    file.write_text("default: {method: off}")
    assert book.reload() == ()
    assert default_of(book).defense is None
    assert in_use.defense.k == 20
    assert editor.feed(", no. Then. ") + editor.close() != ""


def test_an_invalid_change_is_not_taken_over(file):
    book = PolicyBook(file, secret=SECRET, environment={})
    before = book.current
    for text in ("default: {method: brnches}", "default: [", "limts: {}"):
        file.write_text(text)
        with pytest.raises(AntidistillError):
            book.reload()
        assert book.current is before


def test_what_needs_a_restart_is_named(file, tmp_path):
    book = PolicyBook(file, secret=SECRET, environment={})
    file.write_text(f"audit: {{file: {tmp_path}/audit}}\nturns: {{store: 'redis://localhost'}}")
    assert book.reload() == ("turns.store", "audit.file")
    assert book.reload() == ()


def test_without_a_key_file_the_key_beside_the_policy_file_is_made_and_used_again(file):
    first = PolicyBook(file, environment={}).current
    assert file.with_name("policy.yaml.key").stat().st_mode & 0o077 == 0
    assert PolicyBook(file, environment={}).current.hash == first.hash
    with pytest.raises(KeyFileError, match="cannot be read"):
        PolicyBook(file, {"key_file": str(file.parent / "none")}, environment={})


def test_several_keys_for_turns(file, tmp_path):
    for name in ("new", "old"):
        (tmp_path / name).write_bytes(name.encode() * 8)
    keys = {"turns": {"key_files": [str(tmp_path / "new"), str(tmp_path / "old")]}}
    assert PolicyBook(file, keys, secret=SECRET, environment={}).current.turn_secrets == (b"new" * 8, b"old" * 8)
    assert PolicyBook(file, secret=SECRET, environment={}).current.turn_secrets == (SECRET,)


def test_the_watcher_sees_changes_of_the_file_and_of_what_it_refers_to_and_survives_errors(file, tmp_path):
    credential = tmp_path / "credential"
    credential.write_text("first")
    overrides = {"upstream": {"credentials": f"file:{credential}"}}
    book = PolicyBook(file, overrides, secret=SECRET, environment={})
    seen: asyncio.Queue[object] = asyncio.Queue()

    async def story():
        watcher = asyncio.create_task(
            book.watch(0.01, lambda snapshot, pending: seen.put_nowait(snapshot), seen.put_nowait)
        )
        async with asyncio.timeout(10):
            file.write_text("default: {method: off}")
            assert (await seen.get()).policies[-1].defense is None
            file.write_text("default: {method: of}")
            assert isinstance(await seen.get(), BadPolicy)
            assert default_of(book).defense is None
            file.write_text("default: {method: branches}")
            assert (await seen.get()).policies[-1].defense is not None
            credential.write_text("second")
            assert (await seen.get()).credentials.secret.reveal() == "second"
            other = tmp_path / "mounted"
            other.write_text("default: {method: off}")
            other.rename(file)  # how an orchestrator swaps files
            assert (await seen.get()).policies[-1].defense is None
        watcher.cancel()

    asyncio.run(story())


def test_without_a_policy_file_the_key_stays_in_memory_and_holds_over_a_reload(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    book = PolicyBook(None, environment={})
    before = book.current.hash
    book.reload()
    assert book.current.hash == before
    assert PolicyBook(None, environment={}).current.hash != before
    assert book.key_is_passing
    assert not list(tmp_path.iterdir())
    (tmp_path / "key").write_bytes(SECRET)
    assert not PolicyBook(None, {"key_file": tmp_path / "key"}, environment={}).key_is_passing


def test_what_has_not_changed_is_not_read_again(tmp_path):
    (tmp_path / "key").write_bytes(SECRET)
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"key_file: {tmp_path}/key")
    book = PolicyBook(policy, environment={})
    told = []

    async def story():
        watch = asyncio.create_task(
            book.watch(0.01, lambda *new: told.append("new"), lambda error: told.append("error"))
        )
        await asyncio.sleep(0.1)
        assert told == []
        (tmp_path / "other").write_bytes(SECRET[::-1])
        policy.write_text(f"key_file: {tmp_path}/other")
        await asyncio.sleep(0.15)
        assert told == ["new"]
        (tmp_path / "other").write_bytes(b"short")
        await asyncio.sleep(0.15)
        assert told == ["new", "error"]
        watch.cancel()

    asyncio.run(story())
