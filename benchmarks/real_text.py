"""What each method does to a student of real traces: SmolLM2-135M trained on clean and on guarded traces of R1 and QwQ.

Every condition trains the same student on the same prompts in the same order; then all students read the same held-out *clean*
traces. Damage is the paired difference of their loss, guarded minus clean, in nats per token, split into marker sentences, the
sentences right after them, all other reasoning, and the answer: a student that never saw a marker pays for the marker tokens
themselves, and that is not lost reasoning. Intervals: bootstrap over held-out traces and over seeds together (two-way), 95 %.
A seed draws the training prompts and their order; the held-out prompts are the same for all.

Each cell (teacher, condition, seed) is one JSON file, keyed by all that can change it, so a run that was stopped goes on where it
was, and several can run at once. The whole run takes hours (`--dry-run` says how many), which is why it is not part of the tests:
no smaller student reads real traces, and the differences are hundredths of a nat. Prints JSON, and writes it to real_text.json.
"""

import argparse
import hashlib
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

import machine
from antidistill.defenses import Defense, spec
from antidistill.defenses.matching import guarded, matched, removed_share
from antidistill.distill import Layout, Training, train
from antidistill.distill.losses import FRAME, PARTS, completion_losses, parts_of
from antidistill.trace import Trace

HERE = Path(__file__).resolve().parent
TRACES = HERE.parents[1] / "shared" / "data" / "traces_gsm8k_4models.parquet"
KEY = b"the key of this benchmark, 32 b."
TEACHERS = {"DeepSeek-R1": "deepseek-ai/DeepSeek-R1 ", "QwQ-32B": "Qwen/QwQ-32B"}
ANSWER_ONLY = "answer-only"
CONDITIONS = (
    "none",
    "traceguard",
    "random-sentences",
    "branches",
    "exchange",
    "marker-words",
    "steps",
    ANSWER_ONLY,
)
RESAMPLES = 2000
_FOUND: dict[tuple[str, float, str, int], Defense] = {}
TRAINING_RATE, READING_RATE = 200.0, 560.0
"""Tokens a second on one quiet core in float32; used until a cell was measured."""


@dataclass(frozen=True)
class Plan:
    """All that decides what the cells hold.

    Attributes:
        student: smollm2-135m, a hub name or a folder.
        share: of the reasoning's characters that the methods with a budget remove.
        train, held_out: traces per teacher.
        training: hyperparameters; the seed is that of the cell.
    """

    student: str
    share: float
    train: int
    held_out: int
    training: Training


@dataclass(frozen=True)
class Cell:
    """One student to train."""

    teacher: str
    condition: str
    seed: int

    @property
    def name(self) -> str:
        """How a line of the log calls it."""
        return f"{self.teacher} {self.condition} {self.seed}"


def main() -> None:
    arguments = _arguments()
    plan = _plan(arguments)
    traces = {name: _traces(arguments.traces, prefix) for name, prefix in TEACHERS.items() if name in arguments.teacher}
    cells = [
        Cell(teacher, condition, seed)
        for seed in range(arguments.seeds)
        for teacher in traces
        for condition in arguments.condition
    ]
    store = arguments.cells
    todo = [cell for cell in cells if not _path(store, plan, cell, traces).exists()]
    if arguments.dry_run:
        print(json.dumps(_expected(plan, cells, todo, traces, store), indent=1))
        return
    store.mkdir(parents=True, exist_ok=True)
    for cell in todo:
        path = _path(store, plan, cell, traces)
        if not path.exists():  # another run may have been faster
            _save(path, _measure(plan, cell, traces[cell.teacher]))
            print(f"{cell.name}: {json.loads(path.read_text())['seconds']} s", flush=True)
    done = [json.loads(_path(store, plan, cell, traces).read_text(encoding="utf-8")) for cell in cells]
    result = {"machine": machine.describe(), "plan": asdict(plan), "damage": _tables(done), "cells": _facts(done)}
    _save(arguments.output, result)
    print(arguments.output.read_text(encoding="utf-8"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traces", nargs="?", type=Path, default=TRACES, help="Parquet file with a column model")
    parser.add_argument("--teacher", nargs="+", choices=list(TEACHERS), default=list(TEACHERS), help="whose traces")
    parser.add_argument("--condition", nargs="+", choices=CONDITIONS, default=list(CONDITIONS), help="only these")
    parser.add_argument("--student", default="smollm2-135m", help="smollm2-135m, a hub name or a folder")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, …")
    parser.add_argument("--share", type=float, default=0.10, help="removed share that is matched")
    parser.add_argument("--train", type=int, default=64, help="training traces per teacher and seed")
    parser.add_argument("--held-out", type=int, default=40, help="held-out traces per teacher")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--cells", type=Path, default=HERE / "real_text", help="folder of finished cells")
    parser.add_argument("--output", type=Path, default=HERE / "real_text.json")
    parser.add_argument("--dry-run", action="store_true", help="only say what is to do and how long it takes")
    return parser.parse_args()


def _plan(arguments: argparse.Namespace) -> Plan:
    training = Training(
        learning_rate=arguments.learning_rate, epochs=arguments.epochs, batch=4, device_batch=1, max_length=2048
    )
    return Plan(arguments.student, arguments.share, arguments.train, arguments.held_out, training)


def _traces(path: Path, prefix: str) -> list[Trace]:
    rows = [row for row in pq.read_table(path).to_pylist() if row["model"].startswith(prefix.strip())]
    return sorted(
        (Trace(row["id"], row["question"], row["reasoning"], row["response"]) for row in rows), key=lambda t: t.key
    )


def _split(plan: Plan, traces: Sequence[Trace], seed: int) -> tuple[list[Trace], list[Trace]]:
    """Training traces of a seed in their order, and held-out traces; by prompt, so that both teachers hold out the same."""
    order = list(traces)
    random.Random(0).shuffle(order)
    held_out, rest = order[: plan.held_out], order[plan.held_out :]
    random.Random(seed + 1).shuffle(rest)
    return rest[: plan.train], held_out


def _guarded(plan: Plan, condition: str, everything: Sequence[Trace], chosen: list[Trace]) -> tuple[list[Trace], str]:
    """The training traces of a condition, and its specification; budgets are matched over all traces of the teacher."""
    if condition == ANSWER_ONLY:
        return [replace(trace, reasoning="") for trace in chosen], ANSWER_ONLY
    defense = _matched(condition, plan.share, everything)
    return guarded(chosen, defense), spec(defense)


def _matched(condition: str, share: float, everything: Sequence[Trace]) -> Defense:
    """The defense of a condition; searching for it takes longer than anything but training, so it is done once."""
    name = (condition, share, everything[0].id, len(everything))
    if name not in _FOUND:
        _FOUND[name] = matched(condition, share, everything, KEY)
    return _FOUND[name]


def _key(plan: Plan, cell: Cell, traces: Sequence[Trace]) -> str:
    """SHA-256 over all that decides the numbers of a cell."""
    learned, held_out = _split(plan, traces, cell.seed)
    changed, words = _guarded(plan, cell.condition, traces, learned)
    texts = [[t.prompt, t.reasoning, t.answer] for t in [*changed, *held_out]]
    packages = {name: version(name) for name in ("torch", "transformers", "trl", "antidistill")}
    content = [asdict(plan), asdict(cell), words, texts, packages, asdict(Layout())]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def _path(store: Path, plan: Plan, cell: Cell, traces: dict[str, list[Trace]]) -> Path:
    return store / f"{cell.name.replace(' ', '-')}-{_key(plan, cell, traces[cell.teacher])[:16]}.json"


def _student(name: str) -> tuple[Any, Any]:
    from antidistill.measure.models import load_language_model

    loaded = load_language_model(name)
    return loaded.model.float(), loaded.tokenizer


def _measure(plan: Plan, cell: Cell, traces: Sequence[Trace]) -> dict[str, Any]:
    """Trains the student of a cell and lets it read the held-out traces."""
    started = time.perf_counter()
    learned, held_out = _split(plan, traces, cell.seed)
    changed, words = _guarded(plan, cell.condition, traces, learned)
    model, tokenizer = _student(plan.student)
    trained = train(model, tokenizer, changed, replace(plan.training, seed=cell.seed), Layout())
    halfway = time.perf_counter()
    losses = completion_losses(trained.model, tokenizer, held_out)
    return {
        **asdict(cell),
        "spec": words,
        "removed_share": removed_share(learned, changed),
        "held_out": [trace.id for trace in held_out],
        "nats": [_sums(trace, found.nats, found.starts) for trace, found in zip(held_out, losses, strict=True)],
        "tokens": [
            _sums(trace, np.ones(len(found.nats)), found.starts) for trace, found in zip(held_out, losses, strict=True)
        ],
        "training": trained.to_json(),
        "training_tokens_per_second": trained.tokens * plan.training.epochs / trained.seconds,
        "reading_tokens_per_second": sum(len(found.nats) for found in losses) / (time.perf_counter() - halfway),
        "seconds": round(time.perf_counter() - started, 1),
    }


def _sums(trace: Trace, values: NDArray[np.float64], starts: NDArray[np.int64]) -> list[float]:
    """Sum of the values over the tokens of each part."""
    parts = parts_of(trace, Layout(), starts)
    kept = parts != FRAME
    sums: list[float] = np.bincount(parts[kept], weights=values[kept], minlength=len(PARTS)).tolist()
    return sums


def _tables(done: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Damage by teacher and condition."""
    found: dict[str, dict[str, Any]] = {}
    for teacher in dict.fromkeys(cell["teacher"] for cell in done):
        cells = [cell for cell in done if cell["teacher"] == teacher]
        clean = {cell["seed"]: cell for cell in cells if cell["condition"] == "none"}
        found[teacher] = {
            condition: _damage([(clean[c["seed"]], c) for c in cells if c["condition"] == condition])
            for condition in dict.fromkeys(cell["condition"] for cell in cells)
            if condition != "none" and clean
        }
    return found


def _damage(pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    """Damage of a condition in each part, with intervals; pairs are (clean cell, guarded cell) of the same seed."""
    differences = np.array([np.array(ours["nats"]) - np.array(theirs["nats"]) for theirs, ours in pairs])
    tokens = np.array([ours["tokens"] for _, ours in pairs])
    groups = {
        **{part: [index] for index, part in enumerate(PARTS)},
        "reasoning": [0, 1, 2],
        "reasoning_outside_markers": [1, 2],
    }
    shares = [ours["removed_share"] for _, ours in pairs]
    parts = {
        name: _estimate(differences[:, :, columns].sum(2), tokens[:, :, columns].sum(2))
        for name, columns in groups.items()
    }
    return {"removed_share": float(np.mean(shares)), "seeds": len(pairs), **parts}


def _estimate(sums: NDArray[np.float64], tokens: NDArray[np.float64]) -> dict[str, Any]:
    """Nats per token; shapes (seeds, traces). Seeds and traces are drawn anew together; with one seed, traces only."""
    generator = np.random.default_rng(0)
    seeds, traces = sums.shape
    drawn_seeds = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES)
    drawn_traces = generator.multinomial(traces, np.full(traces, 1 / traces), size=RESAMPLES)
    values = np.einsum("rs,st,rt->r", drawn_seeds, sums, drawn_traces)
    values = values / np.einsum("rs,st,rt->r", drawn_seeds, tokens, drawn_traces)
    low, high = np.percentile(values, [2.5, 97.5])
    return {
        "value": float(sums.sum() / tokens.sum()),
        "low": float(low),
        "high": float(high),
        "n": traces,
        "unit": "nats per token",
        "by_seed": (sums.sum(1) / tokens.sum(1)).tolist(),
        "tokens": int(tokens[0].sum()),
    }


def _facts(done: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What happened in each cell, without the traces; losses are those of its own student on the clean traces."""
    kept = ("teacher", "condition", "seed", "spec", "removed_share", "training", "seconds")
    return [
        {name: cell[name] for name in kept}
        | {"loss": dict(zip(PARTS, (np.sum(cell["nats"], 0) / np.sum(cell["tokens"], 0)).tolist(), strict=True))}
        for cell in done
    ]


def _expected(
    plan: Plan, cells: Sequence[Cell], todo: Sequence[Cell], traces: dict[str, list[Trace]], store: Path
) -> dict[str, Any]:
    """Tokens and hours of the cells that are to do, at the rates of finished cells if there are some."""
    from antidistill.measure.models import load_language_model

    counter = load_language_model(plan.student)
    rates = list(_rates(store)) or [(TRAINING_RATE, READING_RATE)]
    training_rate, reading_rate = (float(np.median(column)) for column in zip(*rates, strict=True))
    learned = read = 0
    for cell in todo:
        chosen, held_out = _split(plan, traces[cell.teacher], cell.seed)
        changed, _ = _guarded(plan, cell.condition, traces[cell.teacher], chosen)
        learned += sum(min(counter.count(Layout().completion(t)), plan.training.max_length) for t in changed)
        read += sum(counter.count(Layout().completion(t)) for t in held_out)
    seconds = learned * plan.training.epochs / training_rate + read / reading_rate
    return {
        "cells": len(cells),
        "to_do": len(todo),
        "training_tokens": learned,
        "reading_tokens": read,
        "training_tokens_per_second": round(training_rate),
        "reading_tokens_per_second": round(reading_rate),
        "rates_from": f"{len(rates)} finished cells" if list(_rates(store)) else "one quiet core, float32",
        "hours": round(seconds / 3600, 2),
    }


def _rates(store: Path) -> Iterator[tuple[float, float]]:
    for path in sorted(store.glob("*.json")) if store.is_dir() else ():
        cell = json.loads(path.read_text(encoding="utf-8"))
        yield cell["training_tokens_per_second"], cell["reading_tokens_per_second"]


def _save(path: Path, content: dict[str, Any]) -> None:
    """Writes all or nothing: a stopped run leaves no half file."""
    draft = path.with_suffix(f".{time.time_ns()}.writing")
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    main()
