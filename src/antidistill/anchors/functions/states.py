"""The tagger that reads along with SmolLM2-135M: a linear model over its hidden states, together with the trained tagger."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import ClassVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from antidistill.anchors.functions import trained
from antidistill.anchors.functions.base import FUNCTIONS
from antidistill.anchors.functions.features import MEASURES, asked_for, measures
from antidistill.anchors.functions.hidden import WIDTH, states
from antidistill.errors import InputError

Matrix = NDArray[np.float64]
_ARRAYS = ("weights", "bias", "centre", "scale")
COLUMNS = 3 * WIDTH + MEASURES
"""Mean and last state of the sentence, mean state of the next one, measures of the text."""


@dataclass(frozen=True, slots=True)
class StateModel:
    """A softmax over `FUNCTIONS` out of hidden states, averaged (in logarithms) with one out of the text.

    Attributes:
        text: the model of the text.
        weights: shape (`COLUMNS`, functions).
        bias: shape (functions,).
        centre, scale: mean and standard deviation of each column where the model was trained, shape (`COLUMNS`,).
    """

    text: trained.LinearModel
    weights: Matrix
    bias: Matrix
    centre: Matrix
    scale: Matrix

    def probabilities(self, sentences: Sequence[str], prompt: str, hidden: Matrix) -> Matrix:
        """Probability of each function for each sentence, shape (sentences, functions); rows sum to 1.

        Args:
            sentences: all sentences of the reasoning.
            prompt: what the model was asked.
            hidden: what `hidden.states` gives for them.
        """
        if not sentences:
            return np.zeros((0, len(FUNCTIONS)))
        logits = (columns(sentences, prompt, hidden) - self.centre) / self.scale @ self.weights + self.bias
        own = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        both = own + np.log(self.text.probabilities(sentences, prompt) + 1e-9)
        exponents = np.exp((both - both.max(axis=1, keepdims=True)) / 2)
        return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), dtype=np.float64)


def columns(sentences: Sequence[str], prompt: str, hidden: Matrix) -> Matrix:
    """What the linear model weighs, shape (sentences, `COLUMNS`)."""
    behind = trained.shifted(hidden[:, :WIDTH], 1)
    return np.hstack([hidden, behind, measures(sentences, asked_for(prompt))])


@dataclass(frozen=True, kw_only=True, slots=True)
class StatesTagger:
    """Tells the function by the hidden states of SmolLM2-135M and by the text; needs the `models` extra.

    Attributes:
        model: "default", or a file that `save` wrote; the states are always those of SmolLM2-135M.
        text: "default", or the file of the trained tagger that it was trained with.
    """

    name: ClassVar[str] = "states"
    model: str = "default"
    text: str = "default"
    _loaded: StateModel = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        text = trained.default() if self.text == "default" else trained.load(Path(self.text))
        object.__setattr__(self, "_loaded", _default(text) if self.model == "default" else load(Path(self.model), text))

    @property
    def problems(self) -> tuple[str, ...]:
        """Names of the problems that the model was trained on; its accuracy there says nothing."""
        return self._loaded.text.problems

    def tag(self, sentences: Sequence[str], prompt: str = "") -> list[str]:
        """One function per sentence.

        Raises:
            MissingExtra: the packages of the model are not installed.
        """
        names = tuple(FUNCTIONS)
        return [names[best] for best in self.probabilities(sentences, prompt).argmax(axis=1)]

    def probabilities(self, sentences: Sequence[str], prompt: str = "") -> Matrix:
        """Probability of each function (columns in the order of `FUNCTIONS`), shape (sentences, functions)."""
        texts = [str(sentence) for sentence in sentences]
        return self._loaded.probabilities(texts, prompt, states(texts, prompt))


def save(path: Path, model: StateModel) -> None:
    """Writes the weights of the states in half precision; the model of the text has a file of its own."""
    arrays = {name: getattr(model, name).astype(np.float16) for name in ("weights", "bias")}
    arrays |= {name: getattr(model, name).astype(np.float32) for name in ("centre", "scale")}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def load(path: Path, text: trained.LinearModel) -> StateModel:
    """The model in a file, beside the model of the text that it was trained with.

    Raises:
        InputError: the file cannot be read or holds no such model.
    """
    try:
        return _read(path.read_bytes(), text)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(
            f"{path} holds no tagger of states ({error}); give 'default', or a file that states.save() wrote."
        ) from error


@functools.lru_cache(maxsize=2)
def _shipped() -> bytes:
    return files("antidistill.anchors.functions").joinpath("states.npz").read_bytes()


def _default(text: trained.LinearModel) -> StateModel:
    """The model that comes with the package; `scripts/train_functions.py --states` made it."""
    return _read(_shipped(), text)


def _read(content: bytes, text: trained.LinearModel) -> StateModel:
    with np.load(io.BytesIO(content), allow_pickle=False) as data:
        arrays = {name: data[name].astype(np.float64) for name in _ARRAYS}
    shapes = {
        "weights": (COLUMNS, len(FUNCTIONS)),
        "bias": (len(FUNCTIONS),),
        "centre": (COLUMNS,),
        "scale": (COLUMNS,),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has the shape {arrays[name].shape} instead of {shape}")
    return StateModel(text, **arrays)
