"""`antidistill methods` says what there is."""

import orjson

from antidistill import registry
from antidistill.cli.main import run


def test_the_table_names_every_method_with_its_options(capfd):
    assert run(["methods", "--json", "-"]) == 0
    table = orjson.loads(capfd.readouterr().out)
    rows = {row["name"]: row for row in table if row["kind"] == "text"}
    assert set(rows) == set(registry.names("defenses"))
    assert rows["branches"]["options"]["share"] == 0.15
    assert rows["exchange"]["streams"] is False
    assert rows["traceguard"]["streams"] is True
    assert all(row["summary"] for row in table)
    samplers = {row["name"]: row for row in table if row["kind"] == "white-box"}
    assert set(samplers) == set(registry.names("samplers"))
    assert samplers["ads"]["options"]["lam"] == 0.05
    assert samplers["ads"]["needs"] == ["proxy", "gradient"]
    assert samplers["ads"]["streams"]
    assert not samplers["gaussian"]["streams"]


def test_the_printed_table_names_both_kinds(capfd):
    assert run(["methods"]) == 0
    printed = capfd.readouterr().out
    assert (
        printed.index("guard --method")
        < printed.index("traceguard")
        < printed.index("sample --method")
        < printed.index("ads-permuted")
    )


def test_a_file_that_cannot_be_written_is_named(tmp_path, capsys):
    assert run(["methods", "--json", str(tmp_path / "missing" / "table.json")]) == 2
    assert "cannot be written" in capsys.readouterr().err
