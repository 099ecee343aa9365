"""What a language model sees of an edit: `seam-surprise` and `perplexity` on the traces of one model, every text read once.

Each method is compared with the clean traces of the same prompts, on disjoint prompts; clean traces with themselves too.
Reading is slow on a processor, so the losses of each text are kept in a folder, and a run that was stopped goes on from there.
Prints JSON: AUROC with a 95 % interval and n (prompts), the removed share, and the CPU time of reading.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import machine
from antidistill import defenses
from antidistill.measure import Options
from antidistill.measure.evidence import Evidence
from antidistill.measure.likelihood import LanguageModel, Losses
from antidistill.measure.models import load_language_model
from antidistill.measure.unpaired import contest
from antidistill.trace import Trace

TRACES = Path(__file__).resolve().parents[2] / "shared" / "data" / "traces_gsm8k_4models.parquet"
R1 = "deepseek-ai/DeepSeek-R1 (API deepseek-reasoner, early 2025)"
KEY = bytes(range(32))
METHODS: dict[str, dict[str, Any]] = {
    "none": {},
    "random-sentences": {"share": 0.15},
    "exchange": {"share": 1.0},
    "branches": {"share": 0.15},
    "traceguard": {"k": 20},
}
DETECTORS = ("seam-surprise", "perplexity")


def main() -> None:
    arguments = _arguments()
    traces = _traces(arguments.model, arguments.prompts)
    kept = Kept(arguments.folder)
    model = load_language_model()
    clean = Evidence(traces, kept.read(model, [trace.reasoning for trace in traces]))
    report = {name: _compared(clean, name, kept, model) for name in METHODS}
    print(
        json.dumps(
            {
                "model": arguments.model,
                "methods": report,
                "reading": kept.speed(),
                "machine": machine.describe(),
            },
            indent=1,
        )
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=R1, help="whose traces, as the column model says")
    parser.add_argument("--prompts", type=int, default=100, help="how many, drawn at random")
    parser.add_argument("--folder", type=Path, required=True, help="where the losses of each text are kept")
    return parser.parse_args()


def _traces(model: str, count: int) -> list[Trace]:
    rows = [row for row in pq.read_table(TRACES).to_pylist() if row["model"] == model]
    drawn = np.random.default_rng(0).permutation(len(rows))[:count]
    return [Trace(rows[r]["id"], rows[r]["question"], rows[r]["reasoning"], rows[r]["response"]) for r in drawn]


class Kept:
    """Losses on the disk, one file for each text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seconds = self._tokens = 0.0
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, model: LanguageModel, texts: Sequence[str]) -> LanguageModel:
        """The model, which has read the texts."""
        return replace(model, _known={text: self._losses(model, text) for text in texts})

    def speed(self) -> dict[str, float]:
        """What this run has read."""
        return {"tokens": self._tokens, "seconds_per_1000": round(1000 * self._seconds / max(self._tokens, 1), 3)}

    def _losses(self, model: LanguageModel, text: str) -> Losses:
        path = self._folder / f"{sha256(text.encode()).hexdigest()}.npz"
        if not path.exists():
            start = time.process_time()
            (losses,) = model.losses([text])
            self._seconds += time.process_time() - start
            self._tokens += len(losses.nats)
            with path.with_suffix(".part").open("wb") as file:
                np.savez(file, nats=losses.nats, starts=losses.starts)
            path.with_suffix(".part").rename(path)
        with np.load(path) as stored:
            return Losses(stored["nats"], stored["starts"])


def _compared(clean: Evidence, method: str, kept: Kept, model: LanguageModel) -> dict[str, Any]:
    defense = defenses.make(method, key=KEY, **METHODS[method])
    guarded = [replace(trace, reasoning=defenses.guard(trace, defense).reasoning) for trace in clean.traces]
    texts = [trace.reasoning for trace in guarded]
    other = Evidence(guarded, kept.read(model, texts))
    seen = contest(clean, other, np.arange(len(guarded)), DETECTORS, Options(), lambda step: None).visible
    before = sum(len(trace.reasoning) for trace in clean.traces)
    return {
        "options": METHODS[method],
        "removed_share": round(1 - sum(map(len, texts)) / before, 4),
        "auroc": {name: seen[name].auroc.to_json() for name in DETECTORS},
    }


if __name__ == "__main__":
    main()
