"""What each method does to a student of real traces: SmolLM2-135M trained on clean and on guarded traces of R1 and QwQ.

Every condition trains the same student on the same prompts in the same order; then all students read the same held-out *clean*
traces. Damage is the paired difference of their loss, guarded minus clean, in nats per token, split into marker sentences, the
sentences right after them, all other reasoning, and the answer: a student that never saw a marker pays for the marker tokens
themselves, and that is not lost reasoning. Intervals: bootstrap over held-out traces and over seeds together (two-way), 95 %.
Which traces take part: `real_text_plan.py`. Budgets are matched by removed share; `marker-words`, `exchange` and `answer-only`
have none.

Each cell (condition, seed) is one JSON file, keyed by its texts and its training, so a run that was stopped goes on where it
was. The whole run keeps one core busy for more than an hour (`--dry-run` says how long), which is why it is not part of the
tests: no smaller student reads real traces, and the differences are hundredths of a nat. The sizes are what that hour allows,
fixed by the time of a training step before any damage was seen. Prints JSON, and writes it to real_text.json after every cell.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import machine
from antidistill.defenses.matching import removed_share
from antidistill.distill import Layout, Training, train
from antidistill.distill.losses import FRAME, PARTS, completion_losses, parts_of
from antidistill.trace import Trace
from real_text_damage import facts, tables
from real_text_plan import CONDITIONS, MORE, TEACHERS, Cell, Material, Plan, Pool, key

HERE = Path(__file__).resolve().parent
TRACES = HERE.parents[1] / "shared" / "data" / "traces_gsm8k_4models.parquet"
TRAINING_RATE, READING_RATE = 100.0, 300.0
"""Tokens a second on one core with bfloat16; used until a cell was measured."""


def main() -> None:
    from antidistill.measure.models import load_language_model

    arguments = _arguments()
    plan = _plan(arguments)
    tokenizer = load_language_model(plan.student).tokenizer
    pool = Pool(arguments.traces, plan, tokenizer)
    cells = [Cell(condition, seed) for seed in range(arguments.seeds) for condition in arguments.condition]
    paths = {cell: _path(arguments.cells, plan, cell, pool.material(cell)) for cell in cells}
    told = [_path(arguments.cells, plan, cell, pool.material(cell)) for cell in _told(arguments, cells)]
    if arguments.dry_run:
        todo = [pool.material(cell) for cell, path in paths.items() if not path.exists()]
        done = [_read(path) for path in paths.values() if path.exists()]
        print(json.dumps(_expected(plan, todo, done, tokenizer), indent=1))
        return
    arguments.cells.mkdir(parents=True, exist_ok=True)
    for cell, path in paths.items():
        if not path.exists() and not arguments.tables_only:
            _save(path, _measure(plan, cell, pool.material(cell)))
            print(f"{cell.name}: {_read(path)['seconds']} s", flush=True)
            _report(arguments.output, plan, pool, told)
    _report(arguments.output, plan, pool, told)
    print(arguments.output.read_text(encoding="utf-8"))


def _told(arguments: argparse.Namespace, cells: Sequence[Cell]) -> list[Cell]:
    """What the result is about: the default conditions, those of now, and others that an earlier run trained."""
    seeds = range(arguments.seeds)
    more = [Cell(name, seed) for seed in seeds for name in MORE if any(arguments.cells.glob(f"{name}-{seed}-*.json"))]
    return list(dict.fromkeys([*(Cell(name, seed) for seed in seeds for name in CONDITIONS), *cells, *more]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traces", nargs="?", type=Path, default=TRACES, help="Parquet file with a column model")
    parser.add_argument(
        "--condition", nargs="+", choices=(*CONDITIONS, *MORE), default=list(CONDITIONS), help="only these"
    )
    parser.add_argument("--student", default="smollm2-135m", help="smollm2-135m, a hub name or a folder")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, …")
    parser.add_argument("--share", type=float, default=0.10, help="removed share that is matched")
    parser.add_argument("--train", type=int, default=8, help="training traces per teacher and seed")
    parser.add_argument("--held-out", type=int, default=12, help="held-out traces per teacher")
    parser.add_argument("--max-length", type=int, default=1024, help="longest trace that takes part, in tokens")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--cells", type=Path, default=HERE / "real_text", help="folder of finished cells")
    parser.add_argument("--output", type=Path, default=HERE / "real_text.json")
    parser.add_argument("--dry-run", action="store_true", help="only say what is to do and how long it takes")
    parser.add_argument("--tables-only", action="store_true", help="train nothing, only write what finished cells say")
    return parser.parse_args()


def _plan(arguments: argparse.Namespace) -> Plan:
    """One trace per forward pass: no padding is computed."""
    training = Training(
        learning_rate=arguments.learning_rate,
        epochs=arguments.epochs,
        batch=2,
        device_batch=1,
        max_length=arguments.max_length,
    )
    return Plan(arguments.student, arguments.share, arguments.train, arguments.held_out, training)


def _path(store: Path, plan: Plan, cell: Cell, material: Material) -> Path:
    return store / f"{cell.condition}-{cell.seed}-{key(plan, cell, material)[:16]}.json"


def _measure(plan: Plan, cell: Cell, material: Material) -> dict[str, Any]:
    """Trains the student of a cell and lets it read the held-out traces."""
    from antidistill.measure.models import load_language_model

    started, processor = time.perf_counter(), time.process_time()
    loaded = load_language_model(plan.student)
    training = replace(plan.training, seed=cell.seed)
    trained = train(loaded.model.float(), loaded.tokenizer, material.learned, training, Layout())
    halfway = time.perf_counter()
    losses = completion_losses(trained.model, loaded.tokenizer, material.held_out)
    read = [_sums(trace, found.nats, found.starts) for trace, found in zip(material.held_out, losses, strict=True)]
    ones = [
        _sums(t, np.ones(len(found.nats)), found.starts) for t, found in zip(material.held_out, losses, strict=True)
    ]
    return {
        **cell._asdict(),
        "spec": material.spec,
        "removed_share": removed_share(material.clean, material.learned),
        "held_out": [trace.id for trace in material.held_out],
        "teachers": material.teachers,
        "nats": read,
        "tokens": ones,
        "training": trained.to_json(),
        "reading_seconds": round(time.perf_counter() - halfway, 1),
        "seconds": round(time.perf_counter() - started, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
        "packages": {name: version(name) for name in ("torch", "transformers", "trl", "antidistill")},
    }


def _sums(trace: Trace, values: NDArray[np.float64], starts: NDArray[np.int64]) -> list[float]:
    """Sum of the values over the tokens of each part."""
    parts = parts_of(trace, Layout(), starts)
    kept = parts != FRAME
    sums: list[float] = np.bincount(parts[kept], weights=values[kept], minlength=len(PARTS)).tolist()
    return sums


def _report(output: Path, plan: Plan, pool: Pool, paths: Sequence[Path]) -> None:
    """Writes what the finished cells say."""
    done = [_read(path) for path in paths if path.exists()]
    found = {
        "machine": machine.describe(),
        "plan": asdict(plan),
        "cells_done": len(done),
        "cells_planned": len(paths),
        "traces_that_fit": {name: len(traces) for name, traces in pool.traces.items()},
        "damage": tables(done),
        "by_teacher": {name: tables(done, teacher=name) for name in TEACHERS},
        "against_random_sentences": tables(done, "random-sentences"),
        "cells": facts(done),
    }
    _save(output, found)


def _expected(plan: Plan, todo: Sequence[Material], done: Sequence[dict[str, Any]], tokenizer: Any) -> dict[str, Any]:
    """Tokens and hours of the cells that are to do, at the rates of finished cells if there are some."""

    def tokens(traces: Sequence[Trace]) -> int:
        return sum(len(Layout().encode(tokenizer, trace).ids) for trace in traces)

    learned = sum(tokens(material.learned) for material in todo) * plan.training.epochs
    read = sum(tokens(material.held_out) for material in todo)
    rates = [
        (cell["training"]["tokens"] / cell["training"]["seconds"], np.sum(cell["tokens"]) / cell["reading_seconds"])
        for cell in done
    ]
    training, reading = np.median(rates or [(TRAINING_RATE, READING_RATE)], axis=0)
    return {
        "cells_done": len(done),
        "cells_to_do": len(todo),
        "training_tokens": round(learned),
        "reading_tokens": read,
        "training_tokens_per_second": round(float(training)),
        "reading_tokens_per_second": round(float(reading)),
        "hours": round(float(learned / training + read / reading) / 3600, 2),
    }


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _save(path: Path, content: dict[str, Any]) -> None:
    """Writes all or nothing: a stopped run leaves no half file."""
    draft = path.with_suffix(f".{time.time_ns()}.writing")
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    main()
