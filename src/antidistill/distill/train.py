"""Supervised fine-tuning of a student on traces, by TRL's SFTTrainer; the loss counts the completion only."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antidistill.distill.layout import Layout, encode_all
from antidistill.distill.settings import Training
from antidistill.distill.trainer import make_trainer
from antidistill.errors import InputError, MissingExtra
from antidistill.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTRA = "train"
PACKAGES = ("torch", "transformers", "accelerate", "datasets", "trl", "peft")


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained student and how it went.

    Attributes:
        model: the student; an adapter is merged into it.
        traces: traces that it learned from.
        truncated: how many of them were cut off at `max_length` (they teach no end of text).
        left_out: traces whose prompt alone is as long as `max_length`.
        tokens: tokens of one epoch that the loss counts.
        steps: optimizer steps.
        losses: (step, mean loss in nats per token since the entry before).
        seconds: of this call; a resumed training counts what was left.
    """

    model: Any
    traces: int
    truncated: int
    left_out: int
    tokens: int
    steps: int
    losses: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """All but the model."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "model"}


def require(feature: str = "training") -> None:
    """Checks that the packages for training are there.

    Raises:
        MissingExtra: one is not installed.
    """
    lacking = [name for name in PACKAGES if find_spec(name) is None]
    if lacking:
        raise MissingExtra(feature, ", ".join(lacking), EXTRA)


def train(
    model: Any,
    tokenizer: Any,
    traces: Sequence[Trace],
    settings: Training | None = None,
    layout: Layout | None = None,
    *,
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Trained:
    """Fine-tunes a student on traces, in place.

    Under `accelerate launch` each process trains on its share of every batch.

    Args:
        model: any causal language model of transformers, from scratch or trained before.
        tokenizer: its tokenizer, with an end-of-text token.
        traces: what it learns from.
        settings: how; the defaults are those of the TraceGuard paper.
        layout: where prompt, reasoning and answer stand.
        folder: where checkpoints are kept; a training that was stopped goes on from the last one in it. Without a
            folder nothing is kept.
        progress: called with a few words at each log.

    Returns:
        The student and how the training went.

    Raises:
        MissingExtra: a package is not installed.
        InputError: there is no trace to learn from.
        UsageError: the tokenizer has no end-of-text token.
    """
    require()
    settings, layout = settings or Training(), layout or Layout()
    examples = encode_all(tokenizer, layout, traces)
    fitting = [example for example in examples if example.prompt < settings.max_length]
    if not fitting:
        raise InputError(
            f"none of {len(examples)} traces has a prompt under {settings.max_length} tokens to learn from."
        )
    started = time.perf_counter()
    with _folder(folder) as place, _restored(model):
        trainer = make_trainer(model, tokenizer, fitting, settings, place, keep=folder is not None, progress=progress)
        trainer.train(resume_from_checkpoint=_last_checkpoint(place))
        trained = trainer.model.merge_and_unload() if settings.lora else trainer.model
    return Trained(
        trained.eval(),
        len(fitting),
        sum(len(example.ids) > settings.max_length for example in fitting),
        len(examples) - len(fitting),
        sum(min(len(example.ids), settings.max_length) - example.prompt for example in fitting),
        int(trainer.state.global_step),
        [(int(entry["step"]), float(entry["loss"])) for entry in trainer.state.log_history if "loss" in entry],
        round(time.perf_counter() - started, 1),
    )


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="antidistill-") as made:
        yield Path(made)


@contextmanager
def _restored(model: Any) -> Iterator[None]:
    """Takes away what TRL puts on the model for its loss (a `forward` of this one object)."""
    had = model.__dict__.get("forward")
    try:
        yield
    finally:
        if had is None:
            model.__dict__.pop("forward", None)
        else:
            model.forward = had


def _last_checkpoint(folder: Path) -> str | None:
    from transformers import trainer_utils

    find: Any = trainer_utils.get_last_checkpoint
    found: str | None = find(str(folder))
    return found
