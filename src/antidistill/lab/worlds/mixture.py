"""A mixture of all roles, shaped after real traces: how often markers come, where the first one stands, how long branches are."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, ClassVar

import orjson

from antidistill.errors import UnknownName
from antidistill.lab.worlds import dial
from antidistill.lab.worlds.base import Problem, Wording, check_knob

CHECKS = ("wait", "let me check", "hold on", "actually")
"""Words behind which the sentence before is looked at again; it may have been wrong."""
SECOND_WAYS = ("alternatively",)
"""Words behind which the same is said in another way."""
DECORATIONS = {
    "hmm": ("Hmm, okay.", "Hmm, that is fine."),
    "alright": ("Alright, now I go on.", "Alright, this is good."),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixture:
    """A dial is moved, one sentence a move; marker sentences come at distances measured on real traces (`shape.json`).

    What a marker does follows its word: wait, let me check, hold on and actually look again at the sentence before, which
    slips at a known rate where they follow; alternatively says it in another way; hmm and alright are decoration. The
    share of each word is measured too.

    Attributes:
        steps: moves of the dial (difficulty), 1 to 8.
        skew: how much commoner small moves are (difficulty), 0 to 4.
        slip: chance that a sentence which is looked at again was wrong.
        shape: whose traces: all, DeepSeek-R1, QwQ-32B, s1.1-32B or DeepSeek-R1-Distill-Qwen-32B.
        variety: wordings of each sentence in use.
    """

    name: ClassVar[str] = "mixture"
    tells: ClassVar[str] = (
        "Markers correct, go another way or decorate, as often and at the distances measured on real traces."
    )
    pace: ClassVar[float] = 1.0
    steps: int = 6
    skew: float = 1.0
    slip: float = 0.5
    shape: str = "all"
    variety: int = 4

    def __post_init__(self) -> None:
        check_knob("steps", self.steps, 1, 8)
        check_knob("skew", self.skew, 0, 4)
        check_knob("slip", self.slip, 0, 1)
        check_knob("variety", self.variety, 1, 4)
        if self.shape not in shapes():
            raise UnknownName("shape", self.shape, shapes())

    def problem(self, random: random.Random) -> Problem:
        """Draws a problem."""
        return dial.draw(random, self.steps, self.skew)

    def write(self, problem: Problem, random: random.Random, *, reflection: bool = True) -> str:
        """The reasoning; without reflection there are no markers and no slips."""
        wording = Wording(random, self.variety)
        distances = self._distances(random) if reflection else iter(())
        until = next(distances, -1)
        sentences: list[str] = []
        for shown, (move,) in dial.steps(problem):
            claim = dial.one_move(wording, shown, move)
            until -= 1
            if until == 0:
                sentences += self._with_marker(wording, random, claim)
                until = next(distances) - 1
            else:
                sentences.append(claim.sentence())
        return " ".join(sentences)

    def is_right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer is what the dial shows."""
        return dial.is_right(problem, answer)

    def _with_marker(self, wording: Wording, random: random.Random, claim: dial.Claim) -> list[str]:
        """The claim's sentence and the marker sentence behind it."""
        word = _draw(random, shapes()[self.shape]["words"])
        opening = f"{word[:1].upper()}{word[1:]}{':' if word == 'let me check' else ','}"
        if word in DECORATIONS:
            return [claim.sentence(), wording.one_of(DECORATIONS[word])]
        slips = word in CHECKS and wording.happens(self.slip)
        first = dial.wrong(random, claim.result) if slips else claim.result
        return [claim.sentence(first), f"{opening} {claim.says()}."]

    def _distances(self, random: random.Random) -> Iterator[int]:
        """Sentences to the first marker, then from each marker to the next; nothing where a trace has no marker."""
        shape = shapes()[self.shape]
        if random.random() < shape["without_marker"]["value"]:
            return
        yield max(int(_draw(random, shape["lead"])), 1)
        while True:
            yield max(int(_draw(random, shape["branch"])), 2)


@functools.cache
def shapes() -> Mapping[str, Mapping[str, Any]]:
    """The measured shapes by name (`benchmarks/trace_shape.py` writes them)."""
    content = orjson.loads(files("antidistill.lab.worlds").joinpath("shape.json").read_bytes())
    found: dict[str, dict[str, Any]] = content["shapes"]
    return found


def _draw(random: random.Random, shares: Mapping[str, float]) -> str:
    return random.choices(list(shares), list(shares.values()))[0]
