"""Trains the tagger of sentence functions that comes with the package and writes it where the package reads it.

`benchmarks/functions.py` measures the same recipe on problems that were left out.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import labelled  # noqa: E402
from antidistill.anchors.functions.trained import save  # noqa: E402
from antidistill.anchors.functions.training import Labelled, choose, fit  # noqa: E402

TARGET = ROOT / "src" / "antidistill" / "anchors" / "functions" / "trained.npz"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=Path, default=labelled.LABELS)
    parser.add_argument("--traces", type=Path, default=labelled.TRACES)
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    arguments = parser.parse_args()
    rows = labelled.read(arguments.labels, arguments.traces)
    examples = [Labelled(row.trace.prompt, row.sentences, row.functions, row.problem) for row in rows]
    strength = choose(examples)
    save(arguments.output, fit(examples, strength=strength))
    print(f"{arguments.output}: {arguments.output.stat().st_size:,} bytes, strength {strength}")


if __name__ == "__main__":
    main()
