"""The weights of the text score: two linear models over the measures of a sentence, in one file of numbers."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from math import log1p
from operator import mul
from pathlib import Path
from typing import Any

import orjson

from antidistill.anchors.text_score.reading import MEASURES
from antidistill.errors import InputError


@dataclass(frozen=True, slots=True)
class Linear:
    """One linear model; its unit is the within-trace rank of a sentence's importance (0 lowest, 1 highest).

    Attributes:
        bias: constant part.
        weights: one per measure of the sentence.
        next_bias, next_weights: the same for the sentence behind it; 0 and empty in the streaming model.
        position: rank per unit of the position term (below 0: later sentences matter less).
    """

    bias: float
    weights: tuple[float, ...]
    next_bias: float
    next_weights: tuple[float, ...]
    position: float

    def text(self, measures: Sequence[float]) -> float:
        """What the text of the sentence adds to its expected rank, wherever it stands."""
        return sum(map(mul, self.weights, measures), self.bias)

    def behind(self, measures: Sequence[float]) -> float:
        """What the text of the next sentence adds."""
        return sum(map(mul, self.next_weights, measures), self.next_bias)


@dataclass(frozen=True, slots=True)
class TextModel:
    """The streaming and the whole-trace model.

    Attributes:
        stream: sees the sentence and what precedes it.
        whole: sees the next sentence and the length of the trace too.
        edges: ascending values of `stream.text` that cut the text it was trained on into parts of equal length; for the
            defense, which starts from them.
        problems: names of the problems that it was trained on; its accuracy there says nothing.
    """

    stream: Linear
    whole: Linear
    edges: tuple[float, ...]
    problems: tuple[str, ...] = ()


def stream_term(number: int, count: int = 0) -> float:
    """The position of sentence `number`, from 0, without knowing how many there are."""
    return log1p(number)


def whole_term(number: int, count: int) -> float:
    """The position of sentence `number` of `count`, from 0 to below 1."""
    return number / count


def save(path: Path, model: TextModel) -> None:
    """Writes the model as JSON."""
    record = {"measures": MEASURES, **asdict(model)}
    path.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def load(path: Path) -> TextModel:
    """The model in a file.

    Raises:
        InputError: the file cannot be read or holds no such model.
    """
    try:
        return _parsed(orjson.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} holds no text score ({error}); give 'default', or a file that save() wrote."
        ) from error


@functools.cache
def default() -> TextModel:
    """The model that comes with the package; `scripts/train_text_score.py` made it."""
    return _parsed(orjson.loads(files("antidistill.anchors.text_score").joinpath("weights.json").read_bytes()))


def _parsed(record: Any) -> TextModel:
    if tuple(record["measures"]) != MEASURES:
        raise ValueError("it was trained on other measures")
    edges = tuple(map(float, record["edges"]))
    return TextModel(_linear(record["stream"]), _linear(record["whole"]), edges, tuple(map(str, record["problems"])))


def _linear(record: Any) -> Linear:
    weights, next_weights = (tuple(map(float, record[name])) for name in ("weights", "next_weights"))
    if len(weights) != len(MEASURES) or len(next_weights) not in {0, len(MEASURES)}:
        raise ValueError("it has another number of weights")
    return Linear(float(record["bias"]), weights, float(record["next_bias"]), next_weights, float(record["position"]))
