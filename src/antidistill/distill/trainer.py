"""TRL's SFTTrainer, set up for traces: which tokens the loss counts, and every number of the training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from antidistill.distill.layout import Example
from antidistill.distill.processes import state
from antidistill.distill.settings import Training
from antidistill.errors import UsageError
from antidistill.measure.likelihood import has_bfloat16


def make_trainer(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    settings: Training,
    folder: Path,
    *,
    keep: bool,
    progress: Callable[[str], None] = print,
) -> Any:
    """TRL's trainer over the examples, set up but not run; its batches hold -100 where the loss does not count."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl.trainer.sft_trainer import SFTTrainer

    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    rows = Dataset.from_dict({"input_ids": [e.ids for e in examples], "completion_mask": [e.mask for e in examples]})
    lora = settings.lora
    adapter = None
    if lora:
        maps = lora.maps if isinstance(lora.maps, str) else list(lora.maps)
        adapter = LoraConfig(
            r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=maps, task_type="CAUSAL_LM"
        )
    arguments = _arguments(settings, len(examples), folder, keep)
    trainer = SFTTrainer(model, arguments, train_dataset=rows, processing_class=tokenizer, peft_config=adapter)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_reporter(progress))
    return trainer


def _arguments(settings: Training, traces: int, folder: Path, keep: bool) -> Any:
    import torch
    from trl.trainer.sft_config import SFTConfig

    found = state()
    accumulation = accumulated(settings, found.num_processes)
    steps = math.ceil(traces / settings.batch) * settings.epochs
    half = settings.precision == "bfloat16" or (
        settings.precision == "auto" and has_bfloat16(torch.device(found.device))
    )
    return SFTConfig(
        output_dir=str(folder),
        learning_rate=settings.learning_rate,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=min(settings.device_batch, settings.batch),
        gradient_accumulation_steps=accumulation,
        warmup_steps=math.ceil(settings.warmup * steps),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.clip,
        lr_scheduler_type=settings.schedule,
        max_length=settings.max_length,
        completion_only_loss=True,
        gradient_checkpointing=settings.checkpointing,
        bf16=half,
        optim=settings.optimizer,
        seed=settings.seed,
        use_cpu=found.device.type == "cpu",
        save_strategy=("steps" if settings.save_every else "epoch") if keep else "no",
        save_steps=settings.save_every or 500,
        save_total_limit=2,
        logging_steps=max(1, round(steps / 50)),
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=found.device.type == "cuda",
    )


def check_optimizer(settings: Training) -> None:
    """Checks before anything is loaded that the optimizer can be made here.

    Raises:
        UsageError: it needs a package that is not installed.
    """
    from transformers import Trainer, TrainingArguments

    try:
        Trainer.get_optimizer_cls_and_kwargs(
            TrainingArguments(optim=settings.optimizer, report_to="none", use_cpu=True)
        )
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"optimizer={settings.optimizer} cannot be made here ({error}): install what it needs, or choose another such as "
            "adamw_torch_fused."
        ) from error


def accumulated(settings: Training, processes: int) -> int:
    """Forward passes per optimizer step and process; at least 1."""
    return max(1, round(settings.batch / (min(settings.device_batch, settings.batch) * processes)))


def _reporter(progress: Callable[[str], None]) -> Any:
    from transformers import TrainerCallback

    def on_log(self: Any, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        if logs and "loss" in logs:
            progress(f"step {state.global_step} of {state.max_steps}: loss {float(logs['loss']):.3f}")

    return type("Reporter", (TrainerCallback,), {"on_log": on_log})()
