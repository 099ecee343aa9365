"""Each method has a page that names its options and their defaults."""

import re
from pathlib import Path

import pytest

from antidistill import registry

PAGES = Path(__file__).resolve().parents[1] / "docs" / "methods"
METHODS = list(registry.BUILT_IN["defenses"])


def options_on(page):
    rows = re.findall(r"(?m)^\| `(\w+)` \|[^|]+\|[^|]+\| ([^|]+?) \|", page)
    return {name: default.split(":")[0].strip('"') for name, default in rows}


@pytest.mark.parametrize("method", METHODS)
def test_page_lists_the_options_of_its_method(method):
    named = options_on((PAGES / f"{method}.md").read_text("utf-8"))
    actual = registry.options_of(registry.load("defenses", method))
    assert set(named) == set(actual)
    for option, default in actual.items():
        assert default is None or named[option] == str(default), option


@pytest.mark.parametrize("page", [*METHODS, "mix"])
def test_page_is_short_and_ends_with_something_to_run(page):
    text = (PAGES / f"{page}.md").read_text("utf-8")
    assert text.startswith(f"# {page}\n")
    assert len(text.splitlines()) < 60
    assert re.findall(r"(?m)^## (.+)$", text) == [
        "Options",
        "Source",
        "Streams",
        "What is known",
        "Known weakness",
        "Try it",
    ]
    assert text.count("```python\n") == 1
