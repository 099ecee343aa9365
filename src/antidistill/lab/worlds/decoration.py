"""Markers are decoration."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from antidistill.lab.worlds import dial
from antidistill.lab.worlds.base import Problem, Wording, check_knob

DECORATIONS = ("Hmm, okay.", "Wait, that is fine.", "Alright, now I go on.", "Actually, this is good.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoration:
    """A dial is moved, one sentence a move, always right; marker sentences stand between, at random, and say nothing.

    Attributes:
        steps: moves of the dial (difficulty), 1 to 8.
        skew: how much commoner small moves are (difficulty), 0 to 4.
        share: chance of a marker sentence behind each sentence.
        variety: wordings of each sentence in use.
    """

    name: ClassVar[str] = "decoration"
    tells: ClassVar[str] = "Marker sentences stand at random places and say nothing."
    pace: ClassVar[float] = 1.0
    steps: int = 5
    skew: float = 1.4
    share: float = 0.3
    variety: int = 4

    def __post_init__(self) -> None:
        check_knob("steps", self.steps, 1, 8)
        check_knob("skew", self.skew, 0, 4)
        check_knob("share", self.share, 0, 1)
        check_knob("variety", self.variety, 1, 4)

    def problem(self, random: random.Random) -> Problem:
        """Draws a problem."""
        return dial.draw(random, self.steps, self.skew)

    def write(self, problem: Problem, random: random.Random, *, reflection: bool = True) -> str:
        """The reasoning; without reflection it is the same without decorations."""
        wording = Wording(random, self.variety)
        sentences = []
        for shown, (move,) in dial.steps(problem):
            sentences.append(dial.one_move(wording, shown, move).sentence())
            if reflection and wording.happens(self.share):
                sentences.append(wording.one_of(DECORATIONS))
        return " ".join(sentences)

    def is_right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer is what the dial shows."""
        return dial.is_right(problem, answer)
