"""What a run will take, before it runs: steps, tokens, memory and time, from the architecture alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from antidistill.distill.conditions import Condition, Material
from antidistill.distill.evaluate import FORCED_TOKENS
from antidistill.distill.layout import Layout
from antidistill.distill.settings import Asking, Training
from antidistill.errors import UnknownName
from antidistill.trace import Trace

CHARACTERS_PER_TOKEN = 3.5
"""A rule of thumb for English with formulas; used where no tokenizer is at hand."""
_ADAM, _GRADIENT = 8, 4
_ACTIVATIONS = 34
"""Bytes per token, layer and hidden unit in 16 bits without attention scores (Korthikanti et al. 2022, equation 2)."""
_PROBE = 1024


class Counter(NamedTuple):
    """What counts tokens, and whose tokenizer it is."""

    name: str
    count: Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Device:
    """What a processor can do.

    Attributes:
        name: of the processor.
        flops: floating-point operations a second at the training's precision; peak, or measured for the processor here.
        bandwidth: bytes a second from memory.
        memory: bytes; 0 = not known.
        share: of `flops` that training reaches, of `bandwidth` that generation reaches. An assumption, not a measurement.
    """

    name: str
    flops: float
    bandwidth: float
    memory: float = 0
    share: float = 0.35


DEVICES = {
    "h100": Device("h100", 989e12, 3.35e12, 80e9),
    "a100": Device("a100", 312e12, 2.04e12, 80e9),
    "l40s": Device("l40s", 362e12, 0.86e12, 48e9),
}
"""Data sheets: dense bfloat16, SXM where there is one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One condition of a planned run.

    Attributes:
        condition: its name.
        traces: to learn from.
        removed_share: of the reasoning's characters.
        tokens: of one epoch, prompts included, after truncation.
        truncated: traces over `max_length`.
        steps: optimizer steps.
        hours: training, and asking at the most (every output as long as allowed).
    """

    condition: str
    traces: int
    removed_share: float
    tokens: int
    truncated: int
    steps: int
    hours: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned run.

    Attributes:
        student: name.
        parameters: of the student.
        trainable: of them, or of its adapter.
        tokens_from: how tokens were counted.
        steps: one entry per condition.
        memory_gb: per device, at the largest batch: weights, gradients, optimizer and activations; an estimate.
        device: what it is planned for.
        devices: how many.
        hours: all conditions one after the other.
    """

    student: str
    parameters: int
    trainable: int
    tokens_from: str
    steps: tuple[Step, ...]
    memory_gb: Mapping[str, float]
    device: Device
    devices: int
    hours: float

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


def make_plan(
    student: str,
    config: Any,
    materials: Sequence[tuple[Condition, Material]],
    questions: int,
    training: Training,
    asking: Asking,
    layout: Layout,
    counter: Counter | None,
    device: Device,
    devices: int = 1,
) -> Plan:
    """Plans a run without loading the student.

    Training takes 6 operations per parameter and token (4 under an adapter, whose frozen weights need no gradient; Kaplan et al.
    2020), plus 2 where activations are computed anew. Generation reads all weights for each token of a batch.

    Args:
        student: its name.
        config: its configuration (transformers).
        materials: what each condition learns from.
        questions: how many are asked.
        training: hyperparameters.
        asking: how they are asked.
        layout: where prompt, reasoning and answer stand.
        counter: counts the tokens of a text; None estimates them from its characters.
        device: one of `DEVICES`, or `here()`.
        devices: how many of them.
    """
    parameters, trainable, layers, hidden = _sizes(config, training)
    per_token = (4 if training.lora else 6) + (2 if training.checkpointing else 0)
    weight_bytes = parameters * (2 if training.lora else 4)
    asked = _asking_seconds(questions, asking, weight_bytes, device) / devices
    steps = []
    for condition, material in materials:
        tokens, truncated = _tokens(material.traces, layout, training, counter) if condition.trains else (0, 0)
        flops = tokens * training.epochs * parameters * per_token
        hours = (flops / (device.flops * device.share * devices) + asked) / 3600
        number = (
            math.ceil(math.ceil(len(material.traces) / training.batch) * training.epochs) if condition.trains else 0
        )
        steps.append(
            Step(condition.name, len(material.traces), material.removed_share, tokens, truncated, number, hours)
        )
    memory = _memory(weight_bytes, trainable, layers, hidden, training)
    from_ = f"the tokenizer of {counter.name}" if counter else f"{CHARACTERS_PER_TOKEN} characters per token"
    total = sum(step.hours for step in steps)
    return Plan(student, parameters, trainable, from_, tuple(steps), memory, device, devices, total)


def device_named(name: str) -> Device:
    """A device by name; `here` measures the processor of this machine.

    Raises:
        UnknownName: no such device.
    """
    if name == "here":
        return here()
    if name not in DEVICES:
        raise UnknownName("device", name, ["here", *DEVICES])
    return DEVICES[name]


def here() -> Device:
    """This machine: multiplies two matrices and copies a block for a moment to see how fast it is."""
    import torch

    place = "cuda" if torch.cuda.is_available() else "cpu"
    kind = torch.bfloat16 if place == "cuda" else torch.float32
    matrix = torch.ones((_PROBE, _PROBE), dtype=kind, device=place)
    block = torch.ones(_PROBE * _PROBE * 16, dtype=kind, device=place)
    multiply = min(_seconds(lambda: matrix @ matrix, place) for _ in range(5))
    copy = min(_seconds(block.clone, place) for _ in range(5))
    name = torch.cuda.get_device_name() if place == "cuda" else "this processor, float32, as loaded now"
    return Device(name, 2 * _PROBE**3 / multiply, 2 * block.nbytes / copy, share=0.5)


def _seconds(work: Callable[[], Any], place: str) -> float:
    import torch

    started = time.perf_counter()
    work()
    if place == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _sizes(config: Any, training: Training) -> tuple[int, int, int, int]:
    """Parameters, trainable ones, layers and hidden units; the model is built without memory for its weights."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        build: Any = AutoModelForCausalLM.from_config
        model = build(config)
    model.tie_weights()
    parameters = trainable = sum(weight.numel() for weight in model.parameters())
    if training.lora:
        maps, rank = training.lora.maps, training.lora.rank
        linear = (
            (name.rpartition(".")[2], part) for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)
        )
        trainable = sum(
            rank * (part.in_features + part.out_features)
            for name, part in linear
            if (name in maps if not isinstance(maps, str) else name != "lm_head")
        )
    text = config.get_text_config()
    return parameters, trainable, int(text.num_hidden_layers), int(text.hidden_size)


def _tokens(traces: Sequence[Trace], layout: Layout, training: Training, counter: Counter | None) -> tuple[int, int]:
    """Tokens of one epoch and truncated traces."""
    whole = [layout.system + trace.prompt + layout.completion(trace) for trace in traces]
    sizes = [counter.count(text) if counter else math.ceil(len(text) / CHARACTERS_PER_TOKEN) for text in whole]
    return sum(min(size, training.max_length) for size in sizes), sum(size > training.max_length for size in sizes)


def _asking_seconds(questions: int, asking: Asking, weight_bytes: float, device: Device) -> float:
    tokens = asking.max_new_tokens + (FORCED_TOKENS if asking.force else 0)
    batches = math.ceil(questions * asking.samples / asking.batch)
    return batches * tokens * weight_bytes / (device.bandwidth * device.share)


def _memory(weight_bytes: float, trainable: int, layers: int, hidden: int, training: Training) -> dict[str, float]:
    tokens = min(training.device_batch, training.batch) * training.max_length
    per_layer = 2 * hidden * tokens
    whole = _ACTIVATIONS * hidden * tokens
    activations = layers * per_layer + whole if training.checkpointing else layers * whole
    parts = {
        "weights": weight_bytes + (4 * trainable if training.lora else 0),
        "gradients": _GRADIENT * trainable,
        "optimizer": _ADAM * trainable,
        "activations": activations,
    }
    found = {name: round(size / 1e9, 2) for name, size in parts.items()}
    return found | {"total": round(sum(parts.values()) / 1e9, 2)}
