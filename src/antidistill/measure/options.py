"""How to detect, and the models that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from antidistill import registry
from antidistill.errors import BadOption, MissingExtra, UnknownName
from antidistill.measure.embedding import Encoder
from antidistill.measure.judge import Judge
from antidistill.measure.likelihood import LanguageModel
from antidistill.measure.models import (
    EXTRA,
    SMALL_ENCODER,
    SMALL_LANGUAGE_MODEL,
    load_encoder,
    load_language_model,
    missing,
)

Progress = Callable[[str], None]
"""Called with a few words about each step before it runs."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to detect.

    Attributes:
        models: True needs the models extra, False leaves the models out, None uses them where they are installed.
        language_model: for perplexity; the small default, a hub name, or a folder.
        encoder: for semantic distance; the small default, a hub name, or a folder.
        model_pairs: most pairs that the models and the judge read, drawn by prompt; 0 = all.
        judge: endpoint of the judge; None = no judge.
        detectors: names of the unpaired detectors; None = all.
        repeats: cross-fittings of each detector, each on other halves of the prompts; at least 1.
        folds: folds of each, at least 2.
        seed: of splits, samples and bootstrap.
    """

    models: bool | None = None
    language_model: str = SMALL_LANGUAGE_MODEL
    encoder: str = SMALL_ENCODER
    model_pairs: int = 50
    judge: Judge | None = None
    detectors: Sequence[str] | None = None
    repeats: int = 3
    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for option, least in (("model_pairs", 0), ("repeats", 1), ("folds", 2)):
            if getattr(self, option) < least:
                raise BadOption(option, getattr(self, option), f"at least {least}")
        for name in self.detectors or ():
            if name not in registry.names("detectors"):
                raise UnknownName("detector", name, registry.names("detectors"))


@dataclass(frozen=True, slots=True)
class Instruments:
    """The loaded models; where there are none, `reason` says why."""

    language_model: LanguageModel | None = None
    encoder: Encoder | None = None
    reason: str = ""


def load(options: Options, progress: Progress) -> Instruments:
    """The models that the options ask for.

    Raises:
        MissingExtra: they were asked for and a package is not installed.
        InputError: there is no such model.
    """
    lacking = missing(options.language_model, options.encoder)
    if options.models is False:
        return Instruments(reason="the models were left out (--no-models)")
    if lacking and options.models is None:
        return Instruments(reason=f"needs pip install antidistill[{EXTRA}] (not installed: {', '.join(lacking)})")
    if lacking:
        raise MissingExtra("--models", ", ".join(lacking), EXTRA)
    progress("loading the models")
    language_model = load_language_model(options.language_model)
    encoder = load_encoder(options.encoder)
    language_model.progress = encoder.progress = progress
    return Instruments(language_model, encoder)
