"""What the intervals and noise floors of resampling importance hold, by simulation from known distributions of answers.

Pairs of samples are drawn from two distributions over five answers whose divergence is known. Prints JSON: for each pair and
number of rollouts the share of KL intervals that hold the true divergence, the share of accuracy intervals that hold the true
difference (the first answer is the right one), the share of values above their noise floor, each with its 95 % interval
(Wilson), and the mean KL as we smooth counts (Jeffreys, 0.5) and with next to no smoothing (1e-9).
"""

import argparse
import json
from typing import Any

import numpy as np

import machine
from antidistill.anchors.resampling import distributions
from antidistill.anchors.resampling.distributions import answers_apart, rates_apart
from antidistill.measure.intervals import Values, wilson

PAIRS: dict[str, tuple[list[float], list[float]]] = {
    "the same": ([0.5, 0.3, 0.1, 0.05, 0.05], [0.5, 0.3, 0.1, 0.05, 0.05]),
    "the same, nearly certain": ([0.96, 0.01, 0.01, 0.01, 0.01], [0.96, 0.01, 0.01, 0.01, 0.01]),
    "a little apart": ([0.6, 0.2, 0.1, 0.05, 0.05], [0.4, 0.4, 0.1, 0.05, 0.05]),
    "far apart": ([0.3, 0.3, 0.2, 0.1, 0.1], [0.8, 0.1, 0.05, 0.03, 0.02]),
}
SIZES = ((10, 10), (20, 100), (100, 100))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=400, help="simulated pairs of samples for each line")
    arguments = parser.parse_args()
    shown = {
        name: {f"{first} and {second}": _line(*pair, first, second, arguments.pairs) for first, second in SIZES}
        for name, pair in PAIRS.items()
    }
    print(json.dumps({"distributions": shown, "pairs": arguments.pairs, "machine": machine.describe()}, indent=1))


def _line(first: list[float], second: list[float], ours: int, theirs: int, pairs: int) -> dict[str, Any]:
    ps, qs = np.array(first), np.array(second)
    generator = np.random.default_rng(0)
    true, difference = float((ps * np.log(ps / qs)).sum()), second[0] - first[0]
    held, right, above, above_rate, values, plain = 0, 0, 0, 0, [], []
    for seed in range(pairs):
        samples = [generator.choice(5, size=size, p=each).tolist() for size, each in ((ours, ps), (theirs, qs))]
        kl = answers_apart(samples[0], samples[1], seed)
        hits = [[answer == 0 for answer in sample] for sample in samples]
        rate = rates_apart(hits[0], hits[1], seed)
        held += kl.interval.low - 1e-12 <= true <= kl.interval.high
        right += rate.interval.low - 1e-12 <= difference <= rate.interval.high + 1e-12
        above += kl.interval.value > kl.floor
        above_rate += abs(rate.interval.value) > rate.floor
        values.append(kl.interval.value)
        plain.append(_unsmoothed(distributions.counted(samples[0], samples[1])))
    shares = {"kl_held": held, "accuracy_held": right, "kl_above_floor": above, "accuracy_above_floor": above_rate}
    shown: dict[str, Any] = {name: _share(count, pairs) for name, count in shares.items()}
    return shown | {
        "true_kl": round(true, 4),
        "mean_kl": round(float(np.mean(values)), 4),
        "mean_kl_unsmoothed": round(float(np.mean(plain)), 4),
    }


def _unsmoothed(counts: Values) -> float:
    shares = (counts + 1e-9) / (counts + 1e-9).sum(axis=1, keepdims=True)
    return float((shares[0] * np.log(shares[0] / shares[1])).sum())


def _share(count: int, pairs: int) -> dict[str, float | int]:
    low, high = wilson(count / pairs, pairs)
    return {"value": round(count / pairs, 3), "low": round(low, 3), "high": round(high, 3), "n": pairs}


if __name__ == "__main__":
    main()
