"""Trains the text score that comes with the package and writes it where the package reads it.

`benchmarks/text_score.py` measures the same recipe on problems that were left out.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import labelled  # noqa: E402
from antidistill.anchors.text_score.model import save  # noqa: E402
from antidistill.anchors.text_score.training import Scored, choose, fit  # noqa: E402

TARGET = ROOT / "src" / "antidistill" / "anchors" / "text_score" / "weights.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=Path, default=labelled.LABELS)
    parser.add_argument("--traces", type=Path, default=labelled.TRACES)
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    arguments = parser.parse_args()
    rows = labelled.read(arguments.labels, arguments.traces)
    examples = [Scored(row.sentences, row.importance, row.problem) for row in rows]
    penalty = choose(examples)
    save(arguments.output, fit(examples, penalty))
    print(f"{arguments.output}: {arguments.output.stat().st_size:,} bytes, penalty {penalty:g}")


if __name__ == "__main__":
    main()
