"""A third party adds a defense with one file and one line of its own pyproject."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "plugin_package"
SCRIPT = """
import antidistill as ad
d = ad.defense("shouting", most=1)
trace = ad.Trace("1", "p", "So far. Wait, no. Hmm, yes.", "5")
editor = d.begin(trace.key)
print("".join([editor.feed(c) for c in trace.reasoning] + [editor.close()]))
print(ad.guard(trace, d).reasoning)
"""


@pytest.fixture(scope="module")
def with_plugin(tmp_path_factory):
    """An environment in which the third party's package is installed."""
    copy = tmp_path_factory.mktemp("source") / "plugin"
    target = tmp_path_factory.mktemp("installed")
    subprocess.run(["cp", "-r", str(PACKAGE), str(copy)], check=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        str(target),
        str(copy),
    ]
    subprocess.run(pip, check=True)
    return {**os.environ, "PYTHONPATH": str(target)}


def test_it_is_found_and_guards_files_and_streams_alike(with_plugin):
    printed = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=with_plugin, capture_output=True, text=True, check=True
    ).stdout
    assert printed == "So far. WAIT, NO. Hmm, yes.\n" * 2


def test_the_command_line_lists_it(with_plugin):
    command = [sys.executable, "-c", "from antidistill.cli.main import main; main()", "methods", "--json", "-"]
    rows = json.loads(subprocess.run(command, env=with_plugin, capture_output=True, check=True).stdout)
    assert {"name": "shouting", "options": {"most": 3, "markers": "default"}} in [
        {"name": row["name"], "options": row["options"]} for row in rows
    ]
