"""The trained tagger: one linear model over the words and measures of a sentence and of its two neighbours."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import ClassVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from antidistill.anchors.functions.base import FUNCTIONS
from antidistill.anchors.functions.features import LOCAL, MEASURES, asked_for, measures, terms
from antidistill.errors import InputError

Matrix = NDArray[np.float64]

NEIGHBOURS = (0, -1, 1)
"""The sentence itself, the one before, the one behind."""
REACH = np.array([1.0, 0.5, 0.5])
"""How much the words of each of them count before the model weighs them."""
MEASURE_REACH = np.zeros((3, MEASURES))
"""The same for measures, shape (neighbours, measures)."""
MEASURE_REACH[0] = 0.12
MEASURE_REACH[1:, LOCAL] = 0.12
_ARRAYS = ("terms", "idf", "weights", "measure_weights", "centre", "scale", "bias")


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A softmax over `FUNCTIONS`.

    Attributes:
        terms: number of each term.
        idf: inverse document frequency of each term, shape (terms,).
        weights: shape (terms, neighbours, functions).
        measure_weights: shape (neighbours, measures, functions).
        centre, scale: mean and standard deviation of each measure where the model was trained, shape (measures,).
        bias: shape (functions,).
        problems: names of the problems that it was trained on.
    """

    terms: Mapping[str, int]
    idf: Matrix
    weights: Matrix
    measure_weights: Matrix
    centre: Matrix
    scale: Matrix
    bias: Matrix
    problems: tuple[str, ...] = ()

    def probabilities(self, sentences: Sequence[str], prompt: str = "") -> Matrix:
        """Probability of each function for each sentence, shape (sentences, functions); rows sum to 1."""
        if not sentences:
            return np.zeros((0, len(FUNCTIONS)))
        asked = asked_for(prompt)
        lexical = np.stack([self._lexical(sentence, asked) for sentence in sentences])
        placed = (measures(sentences, asked) - self.centre) / self.scale
        logits = np.tile(self.bias, (len(sentences), 1))
        for place, offset in enumerate(NEIGHBOURS):
            logits += shifted(
                lexical[:, place] + placed @ (self.measure_weights[place] * MEASURE_REACH[place][:, None]), offset
            )
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), dtype=np.float64)

    def _lexical(self, sentence: str, asked: frozenset[str]) -> Matrix:
        """What the words of a sentence say about it and about its neighbours, shape (neighbours, functions)."""
        numbers, values = vector(terms(sentence, asked), self.terms, self.idf)
        return np.asarray(np.tensordot(values, self.weights[numbers], 1), dtype=np.float64)


def vector(
    counts: Iterable[Mapping[str, int]], known: Mapping[str, int], idf: Matrix
) -> tuple[NDArray[np.int64], Matrix]:
    """The known terms of a sentence and their values, (1 + log count) x idf; each group of terms has length 1."""
    groups = [_group(group, known, idf) for group in counts]
    return np.concatenate([numbers for numbers, _ in groups]), np.concatenate([values for _, values in groups])


def _group(counts: Mapping[str, int], known: Mapping[str, int], idf: Matrix) -> tuple[NDArray[np.int64], Matrix]:
    found = [(known[term], count) for term, count in counts.items() if term in known]
    numbers = np.array([number for number, _ in found], dtype=np.int64)
    values = (1 + np.log([count for _, count in found])) * idf[numbers]
    return numbers, values / max(float(np.linalg.norm(values)), 1e-12)


def shifted(rows: Matrix, offset: int) -> Matrix:
    """Row i becomes row i + offset; zero where there is none."""
    moved = np.zeros_like(rows)
    if offset < 0:
        moved[-offset:] = rows[:offset]
    else:
        moved[: len(rows) - offset] = rows[offset:]
    return moved


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedTagger:
    """Tells the function by a linear model that comes with the package.

    Attributes:
        model: "default", or a file that `save` wrote.
    """

    name: ClassVar[str] = "trained"
    model: str = "default"
    _loaded: LinearModel = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_loaded", default() if self.model == "default" else load(Path(self.model)))

    @property
    def problems(self) -> tuple[str, ...]:
        """Names of the problems that the model was trained on; its accuracy there says nothing."""
        return self._loaded.problems

    def tag(self, sentences: Sequence[str], prompt: str = "") -> list[str]:
        """One function per sentence."""
        names = tuple(FUNCTIONS)
        return [names[best] for best in self.probabilities(sentences, prompt).argmax(axis=1)]

    def probabilities(self, sentences: Sequence[str], prompt: str = "") -> Matrix:
        """Probability of each function (columns in the order of `FUNCTIONS`), shape (sentences, functions)."""
        return self._loaded.probabilities(sentences, prompt)


def save(path: Path, model: LinearModel) -> None:
    """Writes the model as arrays in half precision; terms as one text, so that nothing in the file can run."""
    arrays = {name: getattr(model, name).astype(np.float16) for name in _ARRAYS if name != "terms"}
    texts = {"terms": "\n".join(model.terms), "problems": "\n".join(model.problems)}
    coded = {name: np.frombuffer(text.encode(), dtype=np.uint8) for name, text in texts.items()}
    np.savez_compressed(path, allow_pickle=False, **arrays, **coded)


def load(path: Path) -> LinearModel:
    """The model in a file.

    Raises:
        InputError: the file cannot be read or holds no such model.
    """
    try:
        return _read(path.read_bytes())
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"{path} holds no tagger ({error}); give 'default', or a file that save() wrote.") from error


@functools.cache
def default() -> LinearModel:
    """The model that comes with the package; `scripts/train_functions.py` made it."""
    return _read(files("antidistill.anchors.functions").joinpath("trained.npz").read_bytes())


def _read(content: bytes) -> LinearModel:
    with np.load(io.BytesIO(content), allow_pickle=False) as data:
        arrays = {name: data[name].astype(np.float64) for name in _ARRAYS if name != "terms"}
        texts = {name: data[name].tobytes().decode() for name in ("terms", "problems")}
    known = {term: number for number, term in enumerate(texts["terms"].split("\n"))}
    shapes = {
        "idf": (len(known),),
        "weights": (len(known), len(NEIGHBOURS), len(FUNCTIONS)),
        "measure_weights": (len(NEIGHBOURS), MEASURES, len(FUNCTIONS)),
        "centre": (MEASURES,),
        "scale": (MEASURES,),
        "bias": (len(FUNCTIONS),),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has the shape {arrays[name].shape} instead of {shape}")
    return LinearModel(terms=known, problems=tuple(texts["problems"].split("\n")), **arrays)
