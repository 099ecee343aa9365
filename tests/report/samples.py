"""Guarded traces and estimates for the tests of the report."""

from dataclasses import replace
from typing import Any

import antidistill as ad
from antidistill.trace import Trace


def guarded_by(name: str, traces: list[Trace], **options: Any) -> list[ad.Guarded]:
    defense = ad.defense(name, key=b"a key for tests of the report", **options)
    return [ad.guard(trace, defense) for trace in traces]


def guarded_traces(results: list[ad.Guarded]) -> list[Trace]:
    return [replace(result.trace, reasoning=result.reasoning) for result in results]


def estimate(value: float, half: float = 0.03, n: int = 40) -> dict[str, float | int]:
    return {"value": value, "low": value - half, "high": value + half, "n": n}


def detection_json() -> dict[str, Any]:
    detectors = {"length": 0.52, "marker-rate": 0.83, "all-features": 0.91}
    return {
        "paired": {
            "perplexity": None,
            "tfidf": {**estimate(0.08, 0.01), "unit": "1 - cosine"},
            "tokens": {**estimate(-90, 9), "unit": "tokens", "clean": estimate(600), "guarded": estimate(510)},
        },
        "unpaired": {
            **{name: {"auroc": estimate(auroc), "tpr_at_1pct": estimate(0.2)} for name, auroc in detectors.items()},
            "best": "all-features",
        },
        "chosen_in_training": estimate(0.9),
        "traces_to_detect": estimate(4, 1),
        "missing": {"perplexity": "needs the models", "seam-surprise": "needs the models too"},
        "n": 40,
    }
