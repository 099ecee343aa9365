"""Guarded traces and estimates for the tests of the report."""

from dataclasses import replace
from typing import Any

import antidistill as ad
from antidistill.distill import Evaluation, Outcome
from antidistill.trace import Estimate, Trace


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


def lab_results() -> dict[str, Any]:
    """What the lab writes, made by its own functions out of invented answers of two students to 40 questions."""
    from antidistill.lab.results import learnt, payoffs

    shares = {"none": 0.9, "answer-only": 0.3, "no-reflection": 0.8, "traceguard": 0.5, "steps": 0.7}
    found = {
        name: learnt(
            {method: [_answered(share - shift, seed) for seed in range(3)] for method, share in shares.items()}
        )
        for name, shift in (("llama", 0.0), ("gpt2", 0.2))
    }
    rows = {
        method: {
            "teacher": Estimate("teacher", 0.95, 0.9, 0.98, 100).to_json(),
            "students": {name: one.of(method) for name, one in found.items()},
            **({"visibility": {**detection_json(), "chosen_in_training": estimate(visible)}} if visible else {}),
        }
        for method, visible in (
            ("none", 0.5),
            ("traceguard", 0.95),
            ("steps", 0.7),
            ("answer-only", 0),
            ("no-reflection", 0),
        )
    }
    compared = ["none", "traceguard", "steps"]
    world = {"tells": "A marker announces.", "rows": rows, "payoffs": payoffs(found, compared, rows)}
    return {
        "experiment": {"students": list(found), "seeds": 3},
        "calibration": {"verdict": ["plan with llama is fit."]},
        "worlds": {"plan": world},
    }


def _answered(share: float, seed: int) -> Evaluation:
    """So many of 40 answers are right."""
    rights = [(place * 7 + seed) % 40 < 40 * share for place in range(40)]
    return Evaluation(
        [Outcome(str(place), 0, right, True, True, 9, 0, 1.0, 1, 4) for place, right in enumerate(rights)]
    )
