"""Markers carry corrections: the hard world."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from antidistill.lab.worlds import counter
from antidistill.lab.worlds.base import Problem, Wording, check_knob

CHECKS = ("Wait,", "Hmm,", "Let me check:", "Actually,")


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrections:
    """Each step is first done in one go, which often slips; a marker sentence goes the second route and says what is right.

    Attributes:
        steps: moves of the counter (difficulty), 1 to 6.
        slip: chance that the direct result is wrong; a wrong one is always checked.
        check: chance that a right one is checked all the same.
        variety: wordings of each sentence in use.
    """

    name: ClassVar[str] = "corrections"
    tells: ClassVar[str] = "A marker sentence checks the step before it by a second route and says the right result."
    steps: int = 3
    slip: float = 0.3
    check: float = 0.9
    variety: int = 4

    def __post_init__(self) -> None:
        check_knob("steps", self.steps, 1, 6)
        check_knob("slip", self.slip, 0, 1)
        check_knob("check", self.check, 0, 1)
        check_knob("variety", self.variety, 1, 4)

    def problem(self, random: random.Random) -> Problem:
        """Draws a problem."""
        return counter.draw(random, self.steps)

    def write(self, problem: Problem, random: random.Random, *, reflection: bool = True) -> str:
        """The reasoning; without reflection each step is its right direct result."""
        wording = Wording(random, self.variety)
        shown, *moves = problem.given
        sentences = []
        for move in moves:
            right = (shown + move) % counter.SIZE
            slips = reflection and wording.happens(self.slip)
            sentences.append(counter.direct(wording, shown, move, counter.wrong(random, right) if slips else right))
            if reflection and (slips or wording.happens(self.check)):
                ones, tens, shows = (claim.says() for claim in counter.claims(wording, shown, move))
                sentences.append(f"{wording.one_of(CHECKS)} {ones} and {tens}, {shows}.")
            shown = right
        return " ".join(sentences)

    def is_right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer is what the counter shows."""
        return counter.is_right(problem, answer)
