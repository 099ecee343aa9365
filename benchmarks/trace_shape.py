"""How the shared traces are shaped: where markers stand, how many there are, how long branches are, which words open them.

Writes `src/antidistill/lab/worlds/shape.json`, from which the lab's mixture world draws, and prints it. One entry per model and
one for all of them. Means have 95 % intervals (bootstrap over prompts).
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import machine
from antidistill.measure.intervals import mean
from antidistill.text.markers import DEFAULT
from antidistill.text.native import survey
from antidistill.text.survey import MARKER

ROOT = Path(__file__).resolve().parents[1]
TRACES = ROOT.parent / "shared" / "data" / "traces_gsm8k_4models.parquet"
TARGET = ROOT / "src" / "antidistill" / "lab" / "worlds" / "shape.json"
LONGEST = 40
"""Longer branches count as this long."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", nargs="?", type=Path, default=TRACES)
    parser.add_argument("--output", type=Path, default=TARGET)
    arguments = parser.parse_args()
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in pq.read_table(arguments.traces, columns=["model", "question", "reasoning"]).to_pylist():
        pair = row["question"], row["reasoning"]
        found["all"].append(pair)
        found[row["model"].partition(" ")[0].rpartition("/")[2]].append(pair)
    shapes = {name: _shape(pairs) for name, pairs in sorted(found.items())}
    text = json.dumps({"source": arguments.traces.name, "machine": machine.describe(), "shapes": shapes}, indent=1)
    arguments.output.write_text(text + "\n", encoding="utf-8")
    print(text)


def _shape(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    prompts = np.unique([prompt for prompt, _ in pairs], return_inverse=True)[1].astype(np.int64)
    marked = [_marked(reasoning) for _, reasoning in pairs]
    heads = [[place for place, is_marker in enumerate(flags) if is_marker] for flags in marked]
    with_markers = [(flags, places) for flags, places in zip(marked, heads, strict=True) if places]
    words: Counter[str] = Counter()
    for _, reasoning in pairs:
        words.update(_words(reasoning))
    return {
        "traces": len(pairs),
        "sentences": _estimate([len(flags) for flags in marked], prompts),
        "markers": _estimate([len(places) for places in heads], prompts),
        "marker_share": _estimate(
            [len(places) / len(flags) for flags, places in zip(marked, heads, strict=True)], prompts
        ),
        "without_marker": _estimate([not places for places in heads], prompts),
        # Sentences in front of the first marker, of traces with markers.
        "lead": _histogram(places[0] for _, places in with_markers),
        # From one marker sentence to the one before the next, both counted.
        "branch": _histogram(after - before for _, places in with_markers for before, after in pairwise(places)),
        "position_deciles": _deciles(place / len(flags) for flags, places in with_markers for place in places),
        "words": {word: round(count / max(words.total(), 1), 4) for word, count in words.most_common()},
    }


def _marked(reasoning: str) -> list[bool]:
    return [bool(flag & MARKER) for flag in survey(reasoning, DEFAULT)[1]] or [False]


def _words(reasoning: str) -> Iterable[str]:
    """The marker that opens each marker sentence, without the words that lead to it."""
    starts, flags = survey(reasoning, DEFAULT)
    for start, flag in zip(starts, flags, strict=True):
        if flag & MARKER:
            opening = reasoning[start : DEFAULT.opening(reasoning, start)].lower()
            yield next((word for word in DEFAULT.words if word in " ".join(opening.split())), "other")


def _estimate(values: Sequence[float], prompts: Any) -> dict[str, float]:
    value, low, high = mean(np.array(values, dtype=np.float64), prompts)
    return {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4), "n": len(np.unique(prompts))}


def _histogram(lengths: Iterable[int]) -> dict[str, float]:
    """Share of each length, `LONGEST` and longer together."""
    counts = Counter(min(length, LONGEST) for length in lengths)
    return {str(length): round(counts[length] / counts.total(), 5) for length in sorted(counts)}


def _deciles(places: Iterable[float]) -> list[float]:
    """Share of the marker sentences in each tenth of the trace."""
    counts = Counter(min(int(10 * place), 9) for place in places)
    return [round(counts[tenth] / counts.total(), 4) for tenth in range(10)]


if __name__ == "__main__":
    main()
