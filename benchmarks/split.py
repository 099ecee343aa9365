"""Speed of `antidistill.split` on the shared traces, on one core: the C rules, the Python rules and a plain regular expression.

Prints JSON. Each value is the median over the repeats, with a 95 % interval of the median; MB are 10^6 bytes of UTF-8. The three
take turns, so that what else runs on the machine hits them alike; the clock is the CPU time of the process.
"""

import argparse
import importlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from unittest.mock import patch

import pyarrow.parquet as pq
from scipy.stats import quantile_test

import machine
from antidistill.text import native, scan

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
SPLIT = importlib.import_module("antidistill.text.split")  # the package has a function of the same name
TILES = re.compile(r"[^.!?\n]*[.!?\n]+\s*|[^.!?\n]+")

Estimate = dict[str, float | int]


def main() -> None:
    arguments = _arguments()
    texts = _texts(arguments.traces)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    ways = {"split": _split, "python": _python, "finditer": _finditer}
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.repeats):
        for name, way in ways.items():
            speeds[name].append(megabytes / _seconds(way, texts))
    ratios = {f"split / {name}": _ratio(speeds["split"], speeds[name]) for name in ways if name != "split"}
    report = {
        "unit": "MB/s",
        "c_extension": native.BUILT,
        "traces": len(texts),
        "megabytes": round(megabytes, 3),
        "sentences": sum(len(SPLIT.split(text)) for text in texts),
        "speed": {name: _estimate(values) for name, values in speeds.items()},
        "ratio": ratios,
        "machine": machine.describe(),
    }
    print(json.dumps(report, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    default = [SHARED / "traces_gsm8k_4models.parquet", SHARED / "traces_illposed_stress.parquet"]
    parser.add_argument("traces", nargs="*", type=Path, default=default, help="Parquet files with a column 'reasoning'")
    parser.add_argument("--repeats", type=int, default=15, help="at least 6, or there is no interval")
    return parser.parse_args()


def _texts(paths: list[Path]) -> list[str]:
    return [text for path in paths for text in pq.read_table(path, columns=["reasoning"])["reasoning"].to_pylist()]


def _split(texts: list[str]) -> None:
    for text in texts:
        SPLIT.split(text)


def _python(texts: list[str]) -> None:
    """What `split` does where there was no C compiler."""
    with patch.object(SPLIT, "scan", scan.scan):
        _split(texts)


def _finditer(texts: list[str]) -> None:
    """Tiles each text without any rule: cuts after each run of stops or newlines and the white space behind it."""
    for text in texts:
        [(match[0], match.start(), match.end()) for match in TILES.finditer(text)]


def _seconds(way: Callable[[list[str]], None], texts: list[str]) -> float:
    start = time.process_time()
    way(texts)
    return time.process_time() - start


def _ratio(numerators: list[float], denominators: list[float]) -> Estimate:
    return _estimate([top / bottom for top, bottom in zip(numerators, denominators, strict=True)])


def _estimate(values: list[float]) -> Estimate:
    interval = quantile_test(values, p=0.5).confidence_interval(0.95)
    return {
        "value": round(median(values), 2),
        "low": round(interval.low, 2),
        "high": round(interval.high, 2),
        "n": len(values),
    }


if __name__ == "__main__":
    main()
