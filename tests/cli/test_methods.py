"""`antidistill methods` says what there is."""

import orjson

from antidistill import registry
from antidistill.cli.main import run


def test_the_table_names_every_method_with_its_options(capfd):
    assert run(["methods", "--json", "-"]) == 0
    rows = {row["name"]: row for row in orjson.loads(capfd.readouterr().out)}
    assert set(rows) == set(registry.names("defenses"))
    assert rows["branches"]["options"]["share"] == 0.15
    assert rows["exchange"]["streams"] is False
    assert rows["traceguard"]["streams"] is True
    assert all(row["summary"] for row in rows.values())


def test_a_file_that_cannot_be_written_is_named(tmp_path, capsys):
    assert run(["methods", "--json", str(tmp_path / "missing" / "table.json")]) == 2
    assert "cannot be written" in capsys.readouterr().err
