"""Traces of the examples, guarded by a real defense, and a detection in the shape that `detect --json` writes."""

import json
from typing import Any

import pytest
from tests.report.samples import estimate, guarded_by, guarded_traces

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
    detectors = {"length": 0.52, "marker-rate": 0.83, "all-features": 0.91}
    return {
        "paired": {"perplexity": None, "tfidf": estimate(0.08, 0.01), "tokens": estimate(-0.1, 0.01)},
        "unpaired": {
            **{name: {"auroc": estimate(auroc), "tpr_at_1pct": estimate(0.2)} for name, auroc in detectors.items()},
            "best": "all-features",
        },
        "traces_to_detect": estimate(4, 1),
        "n": 40,
    }
