"""The YAML on the pages is valid: what users copy starts."""

import re
from pathlib import Path

import pytest
import yaml

from antidistill.serve.policies import PolicyBook

DOCS = Path(__file__).resolve().parents[3] / "docs"
FENCES = [
    (page.name, text)
    for page in sorted(DOCS.glob("*.md"))
    for text in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    if {"default", "rules", "turns", "limits", "audit", "tenants"} & yaml.safe_load(text).keys()
]


@pytest.mark.parametrize(("page", "text"), FENCES, ids=[name for name, _ in FENCES])
def test_policies_on_the_pages_are_valid(page, text, tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(text.replace("/run/secrets/antidistill", str(tmp_path / "key")))
    (tmp_path / "key").write_bytes(b"0123456789abcdef")
    book = PolicyBook(path, environment={"ENGINE_KEY": "x"})
    assert book.current.policies


def test_there_are_such_pages():
    assert {"policies.md", "turns.md"} <= {name for name, _ in FENCES}
