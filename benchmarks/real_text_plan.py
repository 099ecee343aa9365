"""What the students of `real_text.py` learn from and read: the plan, its rule for choosing traces, and the key of a cell.

The rule, written down before any result was there: of every teacher, the traces that have at most `max_length` tokens with
their prompt, clean. From them the held-out prompts are drawn once, other prompts for each teacher, and every seed draws its
training traces from what is left, as many of each teacher. Nothing that a defense does decides which traces take part.
"""

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from antidistill.defenses import Defense, spec
from antidistill.defenses.matching import guarded, matched
from antidistill.distill import Layout, Training
from antidistill.text import split
from antidistill.text.markers import DEFAULT as MARKERS
from antidistill.trace import Trace

KEY = b"the key of this benchmark, 32 b."
TEACHERS = {"DeepSeek-R1": "deepseek-ai/DeepSeek-R1", "QwQ-32B": "Qwen/QwQ-32B"}
"""Name -> first word of the column model (R1-Distill-Qwen-32B is another one)."""
CLEAN, ANSWER_ONLY = "none", "answer-only"
CONDITIONS = (CLEAN, "traceguard", "random-sentences", "branches", "exchange", "marker-words", "steps", ANSWER_ONLY)
MORE = ("anchors",)
"""Conditions that are trained only where --condition names them."""


@dataclass(frozen=True)
class Plan:
    """All that decides what the cells hold, but for condition and seed.

    Attributes:
        student: smollm2-135m, a hub name or a folder.
        share: of the reasoning's characters that the methods with a budget remove.
        train, held_out: traces per teacher.
        training: hyperparameters; its `max_length` decides which traces take part, its seed is that of the cell.
    """

    student: str
    share: float
    train: int
    held_out: int
    training: Training


class Cell(NamedTuple):
    """One student to train."""

    condition: str
    seed: int

    @property
    def name(self) -> str:
        """How a line of the log calls it."""
        return f"{self.condition} {self.seed}"


@dataclass(frozen=True)
class Material:
    """What a cell trains on and reads.

    Attributes:
        learned: training traces as the condition leaves them, in their order.
        clean: the same, as they were.
        held_out: clean traces that the student reads.
        teachers: whose each held-out trace is.
        spec: of the defense.
    """

    learned: list[Trace]
    clean: list[Trace]
    held_out: list[Trace]
    teachers: list[str]
    spec: str


class Pool:
    """The traces that take part, by teacher."""

    def __init__(self, path: Path, plan: Plan, tokenizer: Any) -> None:
        rows = pq.read_table(path).to_pylist()
        self.plan = plan
        self.traces = {name: list(_fitting(rows, model, plan, tokenizer)) for name, model in TEACHERS.items()}
        self._held_out = self._draw_held_out()
        self._defense = cache(self._matched)

    def material(self, cell: Cell) -> Material:
        """What the cell trains on and reads."""
        clean = self._training(cell.seed)
        held_out = [trace for traces in self._held_out.values() for trace in traces]
        teachers = [name for name, traces in self._held_out.items() for _ in traces]
        if cell.condition == ANSWER_ONLY:
            return Material([replace(t, reasoning="") for t in clean], clean, held_out, teachers, ANSWER_ONLY)
        defense = self._defense(cell.condition)
        return Material(guarded(clean, defense), clean, held_out, teachers, spec(defense))

    def _matched(self, condition: str) -> Defense:
        """Budgets are matched over all traces that take part."""
        return matched(condition, self.plan.share, [t for traces in self.traces.values() for t in traces], KEY)

    def _draw_held_out(self) -> dict[str, list[Trace]]:
        taken: set[str] = set()
        found = {}
        for name, traces in self.traces.items():
            order = [trace for trace in traces if trace.prompt not in taken]
            random.Random(0).shuffle(order)
            found[name] = order[: self.plan.held_out]
            taken |= {trace.prompt for trace in found[name]}
        return found

    def _training(self, seed: int) -> list[Trace]:
        """As many traces of each teacher, none with a held-out prompt of either, in the order of the seed."""
        draw = random.Random(seed + 1)
        taken = {trace.prompt for traces in self._held_out.values() for trace in traces}
        chosen = []
        for name, traces in self.traces.items():
            left = [trace for trace in traces if trace.prompt not in taken]
            if len(left) < self.plan.train:
                raise SystemExit(
                    f"{len(left)} traces of {name} are left to train on, {self.plan.train} are wanted: allow longer ones with "
                    "--max-length, or lower --train."
                )
            chosen += draw.sample(left, self.plan.train)
        draw.shuffle(chosen)
        return chosen


def key(plan: Plan, cell: Cell, material: Material) -> str:
    """SHA-256 over what decides the numbers of a cell.

    The texts, where held-out sentences end and which open with a marker, and the training; not the code that made them, so that
    a change of something else makes no cell stale.
    """
    sentences = [[(s.end, bool(MARKERS.opening(s))) for s in split(trace.reasoning)] for trace in material.held_out]
    training = asdict(replace(plan.training, seed=cell.seed))
    content = [_texts(material.learned), _texts(material.held_out), sentences, plan.student, training, asdict(Layout())]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def _texts(traces: Sequence[Trace]) -> list[list[str]]:
    return [[trace.prompt, trace.reasoning, trace.answer] for trace in traces]


def _fitting(rows: Sequence[dict[str, Any]], model: str, plan: Plan, tokenizer: Any) -> list[Trace]:
    """Traces of a teacher that are not cut off in training, by their key."""
    layout, found = Layout(), []
    for row in rows:
        trace = Trace(row["id"], row["question"], row["reasoning"], row["response"])
        if row["model"].split()[0] != model:
            continue
        if len(layout.encode(tokenizer, trace).ids) <= plan.training.max_length:
            found.append(trace)
    return sorted(found, key=lambda trace: trace.key)
