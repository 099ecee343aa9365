"""`antidistill bounds` prints what is proved, and what it needs to be true."""

import re

import orjson
import pytest

from antidistill.batch.job import Job, guard_files
from antidistill.cli.main import run

FIELDS = {"bound", "value", "unit", "assumes"}


def bounds(capfd, *arguments):
    """The rows that the command prints as JSON."""
    assert run(["bounds", *map(str, arguments), "--json", "-"]) == 0
    return orjson.loads(capfd.readouterr().out)


def values(rows):
    return {row["bound"]: row["value"] for row in rows}


@pytest.fixture(scope="module")
def ledgers(examples, tmp_path_factory):
    """Ledgers of two methods on the example traces."""
    folder = tmp_path_factory.mktemp("ledgers")
    key = folder / "key"
    key.write_bytes(bytes(range(32)))
    paths = {}
    for method, options, mix in [
        ("traceguard", {"k": 20}, None),
        ("branches", {"share": 0.15}, 0.5),
        ("marker-words", {}, None),
    ]:
        paths[method] = folder / f"{method}.ledger"
        out = folder / f"{method}.jsonl"
        guard_files(
            Job(source=examples, out=out, method=method, options=options, mix=mix, key_file=key, ledger=paths[method])
        )
    return paths


def test_gaussian(capfd):
    rows = bounds(capfd, "gaussian", "--sigma", 0.1, "--tokens", 20, "--vocabulary", 1000, "--traces", 2)
    assert all(set(row) == FIELDS for row in rows)
    found = values(rows)
    assert found["dimension-free"] == pytest.approx(0.1)
    assert found["proof-of-proposition-3.1"] == pytest.approx(100)
    assert found["total-variation-at-most"] == pytest.approx(0.1**0.5)
    assert any("prints is unknown" in row["assumes"] for row in rows)


@pytest.mark.parametrize("content", ["[0.5, 0.5]", "[[0.5, 0.5], [0.5, 0.5]]"])
def test_distributions_sharpen_the_bound(capfd, tmp_path, content):
    path = tmp_path / "p.json"
    path.write_text(content)
    found = values(bounds(capfd, "gaussian", "--sigma", 1, "--tokens", 2, "--probabilities", path))
    assert found["refined"] == pytest.approx(0.5)
    assert found["second-order"] == pytest.approx(0.5)


@pytest.mark.parametrize("content", ["{", "{}", "[]", '["a"]', "[[0.5, 0.5], 3]", "[true, false]"])
def test_a_file_without_distributions_is_refused(capfd, tmp_path, content):
    path = tmp_path / "p.json"
    path.write_text(content)
    assert run(["bounds", "gaussian", "--sigma", "1", "--tokens", "2", "--probabilities", str(path)]) == 2
    assert "give a list of numbers" in capfd.readouterr().err
    assert (
        run(["bounds", "gaussian", "--sigma", "1", "--tokens", "2", "--probabilities", str(tmp_path / "no.json")]) == 2
    )
    assert "cannot be read" in capfd.readouterr().err


def test_deletion(capfd):
    rows = bounds(capfd, "deletion", "--deleted", 162, "--order", 50, "--delta", 0.001, "--blocks", 12)
    found = values(rows)
    assert found["proposition-4.1"] == pytest.approx(55_953, abs=1)
    assert found["blocks"] < found["scattered"] < found["proposition-4.1"]
    assert all(set(row) == FIELDS for row in rows)


def test_an_impossible_delta_says_why(capfd):
    assert run(["bounds", "deletion", "--deleted", "3", "--order", "1", "--delta", "0"]) == 2
    assert "top-k" in capfd.readouterr().err


def test_mixing(capfd):
    found = values(bounds(capfd, "mixing", "--mix", 0.1, "--auroc", 0.9))
    assert found["auroc-at-most"] == pytest.approx(0.55)
    assert found["traces-at-least"] == 29
    assert found["traces-enough"] == 4697


def test_ledgers_are_compared(capfd, ledgers):
    rows = bounds(capfd, "ledger", ledgers["traceguard"], ledgers["branches"], "--order", 30)
    table = {(row["method"], row["bound"]): row for row in rows}
    scattered, blocks = (
        {bound: row for (name, bound), row in table.items() if name.startswith(method)}
        for method in ("traceguard", "branches")
    )
    assert {row["method"] for row in rows} >= {"branches markers=default share=0.15 mix=0.5"}
    for found in (scattered, blocks):
        assert FIELDS | {"ledger", "method", "low", "high", "n"} == set(found["as-cut"])
        assert 0 < found["as-cut"]["value"] < found["scattered"]["value"]
        assert found["disturbed"]["low"] <= found["disturbed"]["value"] <= found["disturbed"]["high"]
        assert found["inserting-edits"]["value"] == 0
    per_symbol = [found["disturbed"]["value"] / found["deleted"]["value"] for found in (scattered, blocks)]
    assert per_symbol[1] < per_symbol[0]


def test_edits_that_insert_text_are_counted_apart(capfd, ledgers):
    found = values(bounds(capfd, "ledger", ledgers["marker-words"]))
    assert found["inserting-edits"] > 0


def test_what_is_no_ledger_is_refused(capfd, examples, tmp_path, ledgers):
    assert run(["bounds", "ledger", str(examples)]) == 2
    assert "is not a ledger" in capfd.readouterr().err
    only_header = tmp_path / "header"
    only_header.write_bytes(ledgers["branches"].read_bytes().split(b"\n")[0] + b"\n")
    assert run(["bounds", "ledger", str(only_header)]) == 2
    assert "holds no trace" in capfd.readouterr().err
    changed = tmp_path / "changed"
    changed.write_bytes(ledgers["branches"].read_bytes().replace(b'"edits":', b'"edit":', 1))
    assert run(["bounds", "ledger", str(changed)]) == 2
    assert "holds no edits" in capfd.readouterr().err


@pytest.mark.parametrize(("option", "value"), [("--delta", "0.7"), ("--characters", "0"), ("--order", "0")])
def test_numbers_out_of_range_are_named(capfd, ledgers, option, value):
    assert run(["bounds", "ledger", str(ledgers["branches"]), option, value]) == 2
    assert option.strip("-") in capfd.readouterr().err


def test_the_table_shows_intervals(capfd, ledgers, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["bounds", "ledger", str(ledgers["branches"])]) == 0
    printed = capfd.readouterr().out
    assert "branches markers=default share=0.15 mix=0.5" in printed
    assert re.search(r"as-cut \(nats\) +[\d.]+ \[[\d.]+, [\d.]+\]", printed)
    assert "certifies nothing" in printed


def test_without_a_sub_command_the_usage_is_one_sentence(capfd):
    assert run(["bounds"]) == 2
    assert "see antidistill bounds --help" in capfd.readouterr().err
    assert run(["bounds", "gaussian", "--help"]) == 0
