"""Clean against clean: how often the interval of each detector covers 0.5, which it should in at least 95 of 100 cases.

Every model's traces stand on both sides; each seed draws other halves and folds. Prints JSON: per detector the share of the
intervals that cover 0.5, with its own 95 % interval (Wilson), the number of intervals, and the mean AUROC.
"""

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import machine
from antidistill import registry
from antidistill.measure import Options
from antidistill.measure.evidence import Evidence
from antidistill.measure.intervals import wilson
from antidistill.measure.unpaired import contest
from antidistill.trace import Estimate, Trace

TRACES = Path(__file__).resolve().parents[2] / "shared" / "data" / "traces_gsm8k_4models.parquet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "traces", nargs="?", type=Path, default=TRACES, help="Parquet file of traces with a column model"
    )
    parser.add_argument("--seeds", type=int, default=5, help="splits per model")
    arguments = parser.parse_args()
    names = [name for name in registry.names("detectors") if not registry.load("detectors", name).needs]
    found: dict[str, list[Estimate]] = defaultdict(list)
    for traces in _models(arguments.traces):
        clean = Evidence(traces)
        prompts = np.arange(len(traces))
        for seed in range(arguments.seeds):
            options = replace(Options(), seed=1000 + seed)
            result = contest(clean, clean, prompts, names, options, lambda step: None)
            for name, entry in result.visible.items():
                found[name].append(entry.auroc)
            found["chosen in training"].append(result.chosen)
    print(
        json.dumps(
            {"detectors": {n: _summary(aurocs) for n, aurocs in found.items()}, "machine": machine.describe()}, indent=1
        )
    )


def _models(path: Path) -> list[list[Trace]]:
    found: dict[str, list[Trace]] = defaultdict(list)
    for row in pq.read_table(path).to_pylist():
        found[row["model"]].append(Trace(row["id"], row["question"], row["reasoning"], row["response"]))
    return list(found.values())


def _summary(aurocs: list[Estimate]) -> dict[str, float | int]:
    share = float(np.mean([auroc.low <= 0.5 <= auroc.high for auroc in aurocs]))
    low, high = wilson(share, len(aurocs))
    mean = float(np.mean([auroc.value for auroc in aurocs]))
    return {
        "value": share,
        "low": round(low, 3),
        "high": round(high, 3),
        "n": len(aurocs),
        "mean_auroc": round(mean, 4),
    }


if __name__ == "__main__":
    main()
