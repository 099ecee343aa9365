"""`antidistill audit verify`: exit code, messages, JSON."""

import json

import pytest

from antidistill.cli.main import run
from antidistill.serve.audit import AuditLog

SECRET = b"0123456789abcdef"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "audit.jsonl"
    writer = AuditLog(path, SECRET)
    for number in range(3):
        writer.write(request_id=f"r{number}", tenant="t", route="/v1/messages", policy="", outcome="ok")
    writer.close()
    (tmp_path / "key").write_bytes(SECRET)
    return path


def test_a_good_log_ends_with_0(log, capsys):
    assert run(["audit", "verify", str(log), "--key-file", str(log.parent / "key"), "--json", "-"]) == 0
    printed = capsys.readouterr()
    assert printed.err == "4 rows, all as they were written.\n"
    result = json.loads(printed.out)
    assert (result["rows"], result["sealed"], result["end_known"], result["problems"]) == (4, True, True, [])
    assert run(["audit", "verify", str(log), "--head", result["head"]]) == 0
    assert "give --key-file" in capsys.readouterr().err


def test_a_changed_row_is_named_and_ends_with_1(log, capsys):
    log.write_bytes(log.read_bytes().replace(b'"r1"', b'"r9"'))
    assert run(["audit", "verify", str(log)]) == 1
    assert f"{log}:3: changed: row 3 is not what was written" in capsys.readouterr().err


def test_what_is_no_log_ends_with_2(tmp_path, capsys):
    assert run(["audit", "verify", str(tmp_path / "none")]) == 2
    assert "cannot be read" in capsys.readouterr().err
