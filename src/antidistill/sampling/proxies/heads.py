"""The head that DOGe trains, and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import orjson

from antidistill.errors import BadOption, InputError, OutputError
from antidistill.sampling.proxies.gradient import read_tensors


@dataclass(frozen=True, slots=True)
class HeadTraining:
    """How a head is trained; defaults are those of the DOGe code, but for what it leaves to a choice by hand.

    Attributes:
        lam: weight of the divergence from the proxy; published best 3e-5.
        temperature: divides both logits in the divergence; the loss is not multiplied by its square.
        learning_rate: peak of AdamW.
        epochs: passes over the traces.
        batch: traces per step (8 devices times 16 accumulated there).
        warmup: share of the steps.
        weight_decay: of AdamW.
        max_length: tokens of prompt and completion.
        holdout: share of the traces, the last ones, that training does not see and that decide when it ends.
        tolerance: training ends when the holdout cross-entropy has risen by more than this, in nats per token; the divergence
            is not bounded, so some end is needed (the published code picks an early checkpoint by hand, such as step 60).
        check_every: steps between two looks at the holdout traces.
        max_steps: training ends here at the latest; 0 sets no limit.
        mask: whether only the reasoning diverges; without it the answer does too, and the divergence is summed over the tokens
            of a trace, its mean taken over traces, as the published code does where it is given no mask.
    """

    lam: float = 3e-5
    temperature: float = 2.0
    learning_rate: float = 5e-5
    epochs: int = 2
    batch: int = 128
    warmup: float = 0.1
    weight_decay: float = 0.01
    max_length: int = 2048
    holdout: float = 0.1
    tolerance: float = 0.05
    check_every: int = 10
    max_steps: int = 0
    mask: bool = True

    def __post_init__(self) -> None:
        for name in ("lam", "weight_decay", "tolerance", "max_steps", "warmup"):
            if getattr(self, name) < 0:
                raise BadOption(name, getattr(self, name), "at least 0")
        for name in ("temperature", "learning_rate"):
            if getattr(self, name) <= 0:
                raise BadOption(name, getattr(self, name), "above 0")
        for name in ("epochs", "batch", "check_every", "max_length"):
            if getattr(self, name) < 1:
                raise BadOption(name, getattr(self, name), "at least 1")
        if not isinstance(self.mask, bool):
            raise BadOption("mask", self.mask, "true or false")
        if not 0 < self.holdout < 1:
            raise BadOption("holdout", self.holdout, "a share in (0, 1)")


@dataclass(frozen=True, slots=True)
class Head:
    """What training changed in a head.

    Attributes:
        change: trained minus own weights, float32, (vocabulary, width).
        steps: optimizer steps behind it.
        before, after: cross-entropy of the holdout traces with the own and the trained head, nats per token of the completion.
        divergence_before, divergence_after: KL(teacher || proxy) on their reasoning, nats per token, both logits divided by the
            temperature of the training.
        stopped: why training ended: "tolerance", "steps" or "epochs".
    """

    change: Any
    steps: int
    before: float
    after: float
    divergence_before: float
    divergence_after: float
    stopped: str

    @property
    def facts(self) -> dict[str, Any]:
        """All but the weights."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "change"}

    def save(self, path: Path) -> None:
        """Writes the head as safetensors.

        Raises:
            OutputError: the file cannot be written.
        """
        from safetensors.torch import save_file

        facts = orjson.dumps(self.facts).decode()
        try:
            save_file({"change": self.change.contiguous().cpu()}, path, {"antidistill": facts})
        except OSError as error:
            raise OutputError(f"{path} cannot be written ({error.strerror or error}).") from error

    @classmethod
    def load(cls, path: Path) -> Head:
        """The head in a file that `save` wrote.

        Raises:
            InputError: the file is missing or is no such file.
        """
        values, facts = read_tensors(path, "trained head")
        if "change" not in values:
            raise InputError(f"{path} holds no trained head: give a file that antidistill wrote for doge.")
        return cls(change=values["change"], **facts)
