"""Every fence in README and docs runs, and what a page shows as printed is what it prints.

Python fences of a page share one name space. A `bash` fence runs as a script. A `text` fence right behind a Python fence is its
output, word for word. Pages run in a folder of their own that holds the examples, with the shared traces beside it.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
SET_UP = re.compile(r"^\s*(make|git clone|cd) ", re.M)


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder like a clone: examples inside, shared traces beside it."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("examples", "benchmarks", "tests"):
        (project / name).symlink_to(ROOT / name)
    if (ROOT.parent / "shared").exists():
        (tmp_path / "shared").symlink_to(ROOT.parent / "shared")
    monkeypatch.chdir(project)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return project


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_fences_of_a_page_run(page, workplace, request):
    text = page.read_text(encoding="utf-8")
    if "../shared/" in "".join(body for _, body in FENCE.findall(text)):
        request.getfixturevalue("shared")
    names: dict[str, object] = {"__name__": "__main__"}
    printed = None
    for language, body in FENCE.findall(text):
        if language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(body, str(page), "exec"), names)
            printed = out.getvalue()
            continue
        if language == "bash" and not SET_UP.match(body):
            subprocess.run(["bash", "-euo", "pipefail", "-c", body], check=True, cwd=workplace, timeout=900)
        elif language == "text" and printed is not None:
            assert printed.split() == body.split()
        printed = None


def test_every_fence_names_its_language():
    for page in PAGES:
        unnamed = [body[:60] for language, body in FENCE.findall(page.read_text(encoding="utf-8")) if not language]
        assert unnamed == [], page
