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
