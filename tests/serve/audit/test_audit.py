"""The audit log: every change of it is found, and no text stands in it."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antidistill.errors import InputError, OutputError
from antidistill.serve.audit import AuditLog, AuditText, verify
from antidistill.serve.audit.log import head_path
from antidistill.trace import Edit

SECRET = b"0123456789abcdef0123456789abcdef"
ORIGINAL = "First I add. Wait, let me check that. So 4."
TEXT = AuditText("reasoning", ORIGINAL, "First I add. So 4.", [Edit(13, 38, "", "marker")])


def write(path, rows=5, secret=SECRET):
    log = AuditLog(path, secret)
    for number in range(rows):
        log.write(
            request_id=f"r{number}", tenant="acme", route="/v1/messages", policy="ab" * 32, outcome="ok", texts=[TEXT]
        )
    log.close()


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    write(path)
    return path


def copied(log, tmp_path, lines=None, head=True):
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(lines) if lines is not None else log.read_bytes())
    if head:
        head_path(path).write_bytes(head_path(log).read_bytes())
    return path


def lines_of(path):
    return path.read_bytes().splitlines(keepends=True)


def test_a_log_as_it_was_written_has_no_problem(log):
    verdict = verify(log, SECRET)
    assert verdict.problems == []
    assert (verdict.rows, verdict.sealed, verdict.end_known) == (6, True, True)
    assert verify(log).problems == []


def test_no_text_and_no_plain_hash_of_it_stands_in_the_log(log):
    content = log.read_text()
    assert "Wait" not in content
    assert "First" not in content
    row = json.loads(content.splitlines()[1])
    assert row["texts"][0]["edits"] == [[13, 38, 0, "marker"]]
    import hashlib

    removed = ORIGINAL[13:38].encode()
    assert hashlib.sha256(removed).hexdigest() not in content
    assert log.stat().st_mode & 0o077 == 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_changed_byte_is_found(log, tmp_path, data):
    raw = bytearray(log.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    path = copied(log, tmp_path, [bytes(raw)])
    assert verify(path, SECRET).problems
    assert verify(path).problems or raw[at] in b"0123456789abcdef"  # without the key, another seal is not seen


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_other_order_and_every_lost_or_repeated_row_is_found(log, tmp_path, data):
    lines = lines_of(log)
    other = data.draw(
        st.lists(st.sampled_from(range(len(lines))), min_size=1, max_size=8).filter(lambda o: o != [*range(6)])
    )
    path = copied(log, tmp_path, [lines[number] for number in other])
    assert verify(path).problems


def test_problems_are_named_by_kind_and_place(log, tmp_path):
    lines = lines_of(log)
    missing = verify(copied(log, tmp_path, lines[:2] + lines[3:]), SECRET)
    assert [(p.line, p.kind) for p in missing.problems] == [(3, "missing")]
    assert "row 3 is missing before row 4" in missing.problems[0].told
    swapped = verify(copied(log, tmp_path, [*lines[:2], lines[3], lines[2], *lines[4:]]), SECRET)
    assert {"missing", "reordered"} == {p.kind for p in swapped.problems}
    changed = verify(copied(log, tmp_path, [*lines[:2], lines[2].replace(b"acme", b"acne"), *lines[3:]]), SECRET)
    assert [(p.line, p.kind) for p in changed.problems] == [(3, "changed")]


def test_a_cut_end_is_found_by_the_head_file_or_by_a_hash_that_was_noted(log, tmp_path):
    lines = lines_of(log)
    assert [p.kind for p in verify(copied(log, tmp_path, lines[:-1])).problems] == ["truncated"]
    assert [p.kind for p in verify(copied(log, tmp_path, [])).problems] == ["truncated"]
    head_path(tmp_path / "audit.jsonl").unlink()
    alone = copied(log, tmp_path, lines[:-1], head=False)
    assert not verify(alone).end_known
    noted = json.loads(lines[-1])["hash"]
    assert [p.kind for p in verify(alone, expected=noted).problems] == ["truncated"]
    assert verify(copied(log, tmp_path, lines, head=False), expected=noted).end_known


def test_rows_that_were_rewritten_with_new_hashes_are_found_with_the_key_only(log, tmp_path):
    path = tmp_path / "audit.jsonl"
    write(path, secret=b"another secret 1")
    assert verify(path).problems == []
    assert {p.kind for p in verify(path, SECRET).problems} == {"forged"}


def test_a_row_that_a_crash_left_unfinished_is_told_of_and_no_problem(log, tmp_path):
    path = copied(log, tmp_path)
    with path.open("ab") as file:
        file.write(b'{"n":7,"time":"2026-')
    assert [p.kind for p in verify(path, SECRET).problems] == ["unreadable"]
    write(path, rows=2)
    verdict = verify(path, SECRET)
    assert verdict.problems == []
    assert verdict.rows == 9


def test_rows_whose_note_was_lost_are_taken_up(log, tmp_path):
    path = tmp_path / "audit.jsonl"
    write(path, rows=1)
    before = head_path(path).read_bytes()
    write(path, rows=3)
    head_path(path).write_bytes(before)
    write(path, rows=1)
    assert verify(path, SECRET).problems == []
    head_path(path).unlink()
    write(path, rows=1)
    verdict = verify(path, SECRET)
    assert (verdict.problems, verdict.rows) == ([], 7)


def test_writing_after_the_end_was_cut_leaves_a_gap_that_is_found(log, tmp_path):
    path = copied(log, tmp_path, lines_of(log)[:-2])
    write(path, rows=1)
    assert "missing" in {p.kind for p in verify(path, SECRET).problems}


def test_several_processes_write_one_chain_and_a_kill_does_not_break_it(tmp_path):
    path = tmp_path / "audit.jsonl"
    script = textwrap.dedent(f"""
        from pathlib import Path
        from antidistill.serve.audit import AuditLog
        log = AuditLog(Path({str(path)!r}), {SECRET!r})
        print("ready", flush=True)
        while True:
            log.write(request_id="r", tenant="t", route="/v1/messages", policy="", outcome="ok")
    """)
    writers = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(3)]
    try:
        for writer in writers:
            assert writer.stdout.readline() == b"ready\n"
        while path.stat().st_size < 200_000:
            pass
    finally:
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
    write(path, rows=1)
    verdict = verify(path, SECRET)
    assert verdict.problems == []
    assert verdict.rows > 300


def test_what_is_no_log_is_refused(tmp_path):
    other = tmp_path / "other"
    other.write_text("hello\n")
    with pytest.raises(InputError, match="not an audit log"):
        verify(other)
    with pytest.raises(InputError, match="cannot be read"):
        verify(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="name another file"):
        AuditLog(tmp_path / "no" / "folder", SECRET)
