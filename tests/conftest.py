"""Fixtures that several test folders share."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # several workers share the processors; before torch is loaded

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared traces; tests that need it skip where it is missing, and fail where CI must have it."""
    if SHARED.is_dir():
        return SHARED
    if os.environ.get("CI") == "true":
        pytest.fail(f"the shared data folder is missing: {SHARED}")
    pytest.skip("needs the shared traces beside the project (../shared/data)")


@pytest.fixture(scope="session")
def examples() -> Path:
    """The example traces that come with the project."""
    return ROOT / "examples" / "traces.jsonl"
