"""Loads a student: the small default, a hub name or a folder."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from antidistill.distill.settings import Training
from antidistill.errors import InputError, MissingExtra
from antidistill.measure.models import SMALL_LANGUAGE_MODEL, load_language_model


def load_student(name: str, tokenizer: str = "", training: Training | None = None) -> tuple[Any, Any]:
    """A causal language model and its tokenizer, ready for training.

    Weights that are trained are kept in float32 (bfloat16 is for the arithmetic: "mixed precision"); under an adapter the frozen
    weights stay as they were published.

    Args:
        name: smollm2-135m, a hub name or a folder.
        tokenizer: hub name or folder of another tokenizer with the same tokens; base models borrow that of their chat model.
        training: decides about the precision.

    Raises:
        MissingExtra: a package is not installed.
        InputError: there is no such model or tokenizer, or they do not fit together.
    """
    loaded = load_language_model(name)
    model = loaded.model if training and training.lora else loaded.model.float()
    used = _tokenizer(tokenizer) if tokenizer else loaded.tokenizer
    known = model.get_input_embeddings().weight.shape[0]
    if len(used) > known:
        raise InputError(
            f"the tokenizer of {tokenizer or name} has {len(used):,} tokens, {name} knows {known:,}: give its own."
        )
    return model, used


def load_config(name: str, facts: Mapping[str, Any] | None = None) -> Any:
    """The configuration of a student without its weights; `facts` (of a recipe) spare the hub.

    Raises:
        InputError: there is no such model.
    """
    from transformers import AutoConfig

    if facts:
        return AutoConfig.for_model(**facts)
    if name == SMALL_LANGUAGE_MODEL:
        return load_language_model(name).model.config
    try:
        return AutoConfig.from_pretrained(name)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"the student {name!r} cannot be loaded ({reason}); give a hub name or a folder.") from error


def load_tokenizer_here(*names: str) -> tuple[str, Any] | None:
    """The first of the tokenizers that is on this machine, and its name; never asks the hub."""
    from transformers import AutoTokenizer

    for name in filter(None, names):
        with suppress(OSError, ValueError, MissingExtra):
            if name == SMALL_LANGUAGE_MODEL:
                return name, load_language_model(name).tokenizer
            return name, AutoTokenizer.from_pretrained(name, local_files_only=True)
    return None


def _tokenizer(name: str) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"the tokenizer {name!r} cannot be loaded ({reason}); give a hub name or a folder.") from error
