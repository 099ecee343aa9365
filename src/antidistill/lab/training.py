"""Trains a small model on traces: one process, one thread, float32, batches of sequences of like length.

TRL's trainer spends many times the arithmetic of such a model on its own bookkeeping (`docs/design/lab.md`), so the lab has
a loop of its own; what the loss counts is laid out by `distill.layout`, as for every other student.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from antidistill.distill.layout import Example
from antidistill.errors import BadOption

OPTIMIZERS = ("muon", "adamw")
_WARMUP = 0.05
_BLOCK = 16
_UNCOUNTED = -100
_TAIL = 0.9


@dataclass(frozen=True, slots=True)
class Course:
    """How long and how fast a model learns.

    Attributes:
        steps: optimizer steps.
        batch: sequences a step.
        rate: highest learning rate of AdamW; 5 % of the steps warm up, then a cosine to a tenth.
        optimizer: "muon" (Jordan 2024) for the matrices of hidden layers and AdamW for the rest, or "adamw" for all.
        matrix_rate: highest learning rate of Muon.
        decay: weight decay of matrices.
    """

    steps: int
    batch: int = 32
    rate: float = 3e-3
    optimizer: str = "muon"
    matrix_rate: float = 0.02
    decay: float = 0.01

    def __post_init__(self) -> None:
        for name in ("steps", "batch"):
            if getattr(self, name) < 1:
                raise BadOption(name, getattr(self, name), "a whole number of at least 1")
        if self.optimizer not in OPTIMIZERS:
            raise BadOption("optimizer", self.optimizer, f"one of {', '.join(OPTIMIZERS)}")


def train(model: Any, examples: Sequence[Example], course: Course, seed: int) -> float:
    """Teaches the model to continue each prompt; the loss counts the completion only.

    Args:
        model: a causal language model in float32; changed in place, left in evaluation mode.
        examples: tokens of prompt and completion.
        course: how long and how fast.
        seed: of the order of the examples.

    Returns:
        Mean loss of the last tenth of the steps, nats per token.
    """
    import torch
    from torch.nn.functional import cross_entropy

    optimizers = _optimizers(model, course)
    rates = [(group, group["lr"]) for optimizer in optimizers for group in optimizer.param_groups]
    model.train()
    last = []
    for step, (tokens, targets) in enumerate(_batches(examples, course, seed)):
        for group, rate in rates:
            group["lr"] = rate * _pace(step / course.steps)
        logits = model(input_ids=tokens[:, :-1]).logits
        loss = cross_entropy(logits.flatten(0, 1), targets[:, 1:].flatten(), ignore_index=_UNCOUNTED)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad(set_to_none=True)
        if step >= _TAIL * (course.steps - 1):
            last.append(float(loss.detach()))
    model.eval()
    return sum(last) / len(last)


def _optimizers(model: Any, course: Course) -> list[Any]:
    """Muon for matrices of hidden layers, AdamW for the rest (embeddings, convolutions, recurrent states)."""
    import torch

    hidden = {id(weights) for weights in _hidden_matrices(model)} if course.optimizer == "muon" else set()
    ours = [weights for weights in model.parameters() if id(weights) in hidden]
    others = [weights for weights in model.parameters() if id(weights) not in hidden]
    groups = [
        {"params": [weights for weights in others if weights.dim() > 1], "weight_decay": course.decay},
        {"params": [weights for weights in others if weights.dim() <= 1], "weight_decay": 0.0},
    ]
    found: list[Any] = [torch.optim.AdamW(groups, lr=course.rate, betas=(0.9, 0.98))]
    if ours:
        found.append(torch.optim.Muon(ours, lr=course.matrix_rate, weight_decay=course.decay, momentum=0.95))
    return found


def _hidden_matrices(model: Any) -> Iterator[Any]:
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    for module in model.modules():
        if isinstance(module, nn.Linear | Conv1D) and module is not head:
            yield module.weight


def _pace(done: float) -> float:
    """Share of the highest learning rate after the share `done` of the steps."""
    return min(done / _WARMUP + 1e-3, 0.55 + 0.45 * math.cos(math.pi * done))


def _batches(examples: Sequence[Example], course: Course, seed: int) -> Iterator[tuple[Any, Any]]:
    """Tokens and targets of each step: passes over shuffled examples, like lengths together."""
    import torch

    generator = random.Random(seed)
    queue: list[list[Example]] = []
    for _ in range(course.steps):
        if not queue:
            queue = _one_pass(examples, course.batch, generator)
        rows = queue.pop()
        width = max(len(row.ids) for row in rows)
        tokens = torch.zeros((len(rows), width), dtype=torch.long)
        targets = torch.full((len(rows), width), _UNCOUNTED)
        for line, row in enumerate(rows):
            tokens[line, : len(row.ids)] = torch.tensor(row.ids)
            targets[line, row.prompt : len(row.ids)] = tokens[line, row.prompt : len(row.ids)]
        yield tokens, targets


def _one_pass(examples: Sequence[Example], batch: int, generator: random.Random) -> list[list[Example]]:
    """All examples in batches: shuffled, sorted by length within blocks of some batches, the batches shuffled."""
    order = list(examples)
    generator.shuffle(order)
    batches = []
    for start in range(0, len(order), _BLOCK * batch):
        rows = sorted(order[start : start + _BLOCK * batch], key=lambda row: len(row.ids))
        batches += [rows[place : place + batch] for place in range(0, len(rows), batch)]
    generator.shuffle(batches)
    return batches
