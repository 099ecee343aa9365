"""Traces of the examples, guarded by a real defense, and a detection in the shape that `detect --json` writes."""

import json
from typing import Any

import pytest
from tests.report.samples import detection_json, guarded_by, guarded_traces

import antidistill as ad
from antidistill.trace import Trace


@pytest.fixture(scope="session")
def clean(examples) -> list[Trace]:
    rows = [json.loads(line) for line in examples.read_text(encoding="utf-8").splitlines()]
    return [
        Trace(row["id"], row["prompt"], row["reasoning"], row["answer"], {"model": f"model-{place % 3}"})
        for place, row in enumerate(rows)
    ]


@pytest.fixture(scope="session")
def results(clean) -> list[ad.Guarded]:
    return guarded_by("traceguard", clean, k=2)


@pytest.fixture(scope="session")
def guarded(results) -> list[Trace]:
    return guarded_traces(results)


@pytest.fixture
def detection() -> dict[str, Any]:
    return detection_json()
