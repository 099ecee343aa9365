"""How a student is trained, and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from antidistill.errors import BadOption, UnknownName

LINEAR_MAPS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The seven linear maps of a layer of Llama, Qwen and Gemma, which the published set-ups adapt."""


@dataclass(frozen=True, slots=True)
class Lora:
    """A low-rank adapter (Hu et al. 2021); it is merged into the student after training.

    Attributes:
        rank: at least 1.
        alpha: scale; the adapter counts alpha / rank.
        dropout: share in [0, 1).
        maps: names of the adapted linear maps, or "all-linear".
    """

    rank: int = 128
    alpha: int = 128
    dropout: float = 0.0
    maps: tuple[str, ...] | str = LINEAR_MAPS

    def __post_init__(self) -> None:
        _check(self.rank >= 1, "rank", self.rank, "at least 1")
        _check(0 <= self.dropout < 1, "dropout", self.dropout, "in [0, 1)")


@dataclass(frozen=True, slots=True)
class Training:
    """Supervised fine-tuning; the defaults are those of the TraceGuard paper (section 5.1) and of the ADS code.

    Attributes:
        learning_rate: peak, above 0.
        epochs: passes over the traces, above 0.
        batch: traces per optimizer step over all devices.
        device_batch: traces per device and forward pass; the rest is gradient accumulation.
        warmup: share of the steps in which the learning rate rises, in [0, 1).
        weight_decay: at least 0.
        clip: largest gradient norm; 0 does not clip.
        schedule: of transformers, one that needs no more than steps and warmup: cosine, linear, constant …
        max_length: tokens of prompt and completion; longer traces are cut off at the end.
        lora: adapter; None trains all weights.
        precision: auto (bfloat16 where the processor has it), bfloat16 or float32.
        checkpointing: whether activations are computed anew in the backward pass, which saves memory.
        optimizer: of transformers; some need a package of their own.
        seed: of the order of the traces, of dropout and of the adapter.
        save_every: optimizer steps between two checkpoints; 0 saves at the end of each epoch.
    """

    learning_rate: float = 5e-4
    epochs: float = 3
    batch: int = 16
    device_batch: int = 2
    warmup: float = 0.03
    weight_decay: float = 0.1
    clip: float = 1.0
    schedule: str = "cosine"
    max_length: int = 4096
    lora: Lora | None = None
    precision: str = "auto"
    checkpointing: bool = False
    optimizer: str = "adamw_torch_fused"
    seed: int = 0
    save_every: int = 0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "epochs"):
            _check(getattr(self, name) > 0, name, getattr(self, name), "above 0")
        for name in ("batch", "device_batch", "max_length"):
            _check(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("weight_decay", "clip", "save_every", "seed"):
            _check(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")
        _check(0 <= self.warmup < 1, "warmup", self.warmup, "in [0, 1)")
        _check(self.precision in PRECISIONS, "precision", self.precision, f"one of {', '.join(PRECISIONS)}")
        for name in _LISTED:
            _check_listed(name, getattr(self, name))


_LISTED = {
    "schedule": ("transformers.trainer_utils", "SchedulerType"),
    "optimizer": ("transformers.training_args", "OptimizerNames"),
}
_UNFIT = {"cosine_with_min_lr", "cosine_warmup_with_min_lr", "warmup_stable_decay", "reduce_lr_on_plateau", "greedy"}
"""Schedules that need arguments of their own, or a measure taken while training."""


def listed(option: str) -> list[str]:
    """The schedules or optimizers that transformers knows and a training here can use."""
    module, name = _LISTED[option]
    return [each.value for each in getattr(import_module(module), name) if each.value not in _UNFIT]


def _check_listed(option: str, given: object) -> None:
    """Transformers is slow to load, so a default is not looked up; where it is not installed nothing is trained."""
    if given == Training.__dataclass_fields__[option].default or find_spec("transformers") is None:
        return
    known = listed(option)
    if given not in known:
        raise UnknownName(option, str(given), known)


PRECISIONS = ("auto", "bfloat16", "float32")


@dataclass(frozen=True, slots=True)
class Asking:
    """How a student writes its answers.

    Attributes:
        max_new_tokens: a text that is not ended by then is unfinished.
        temperature: 0 is greedy.
        top_p: nucleus, in (0, 1]; used where the temperature is above 0.
        samples: outputs per question; 1 where it is greedy.
        batch: sequences generated at a time.
        force: also force an answer out of every output (answer-forced accuracy of the ADS paper).
        seed: of the sampling.
    """

    max_new_tokens: int = 1024
    temperature: float = 0.0
    top_p: float = 1.0
    samples: int = 1
    batch: int = 32
    force: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("max_new_tokens", "samples", "batch"):
            _check(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        _check(self.temperature >= 0, "temperature", self.temperature, "at least 0")
        _check(0 < self.top_p <= 1, "top_p", self.top_p, "in (0, 1]")
        _check(self.samples == 1 or self.temperature > 0, "samples", self.samples, "1 where the temperature is 0")


def changed(settings: Any, name: str, value: Any) -> Any:
    """Settings with one value changed; `lora.rank` reaches into the adapter, `lora` takes true, false or a table.

    Raises:
        BadOption: no such setting, or a value out of its range.
    """
    own, _, inner = name.partition(".")
    known = [field.name for field in fields(settings)]
    _check(own in known, own, value, f"one of {', '.join(sorted(known))}")
    if own == "lora":
        value = changed(settings.lora or Lora(), inner, value) if inner else _adapter(value)
    given, wanted = type(value), type(getattr(settings, own))
    fits = own == "lora" or given is wanted or (given is int and wanted is float) or wanted is type(None)
    _check(fits or own == "maps", name, value, f"a {wanted.__name__}")
    return replace(settings, **{own: value})


def _adapter(value: Any) -> Lora | None:
    if isinstance(value, dict):
        made: Lora = from_table(Lora, value)
        return made
    _check(isinstance(value, bool), "lora", value, 'true, false or a table such as {"rank": 16}')
    return Lora() if value else None


def from_table(kind: type[Any], table: dict[str, Any]) -> Any:
    """Settings out of a table of a recipe.

    Raises:
        BadOption: the table names an option that there is not.
    """
    known = {field.name for field in fields(kind)}
    for name in table:
        _check(name in known, name, table[name], f"one of {', '.join(sorted(known))}")
    if isinstance(table.get("lora"), dict):
        table = {**table, "lora": from_table(Lora, table["lora"])}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in table.items()})


def _check(allowed: bool, option: str, given: object, what: str) -> None:
    if not allowed:
        raise BadOption(option, given, what)
