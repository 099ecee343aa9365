"""Markers are decoration."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from antidistill.lab.worlds import counter
from antidistill.lab.worlds.base import Problem, Wording, check_knob

DECORATIONS = ("Hmm, okay.", "Wait, that is fine.", "Alright, now I go on.", "Actually, this is good.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoration:
    """Each step is done digit by digit and is right; marker sentences stand between, at random, and say nothing.

    Attributes:
        steps: moves of the counter (difficulty), 1 to 8.
        share: chance of a marker sentence behind each sentence.
        variety: wordings of each sentence in use.
    """

    name: ClassVar[str] = "decoration"
    tells: ClassVar[str] = "Marker sentences stand at random places and say nothing."
    steps: int = 4
    share: float = 0.25
    variety: int = 4

    def __post_init__(self) -> None:
        check_knob("steps", self.steps, 1, 8)
        check_knob("share", self.share, 0, 1)
        check_knob("variety", self.variety, 1, 4)

    def problem(self, random: random.Random) -> Problem:
        """Draws a problem."""
        return counter.draw(random, self.steps)

    def write(self, problem: Problem, random: random.Random, *, reflection: bool = True) -> str:
        """The reasoning; without reflection it is the same without decorations."""
        wording = Wording(random, self.variety)
        shown, *moves = problem.given
        sentences = []
        for move in moves:
            for claim in counter.claims(wording, shown, move):
                sentences.append(claim.sentence())
                if reflection and wording.happens(self.share):
                    sentences.append(wording.one_of(DECORATIONS))
            shown = (shown + move) % counter.SIZE
        return " ".join(sentences)

    def is_right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer is what the counter shows."""
        return counter.is_right(problem, answer)
