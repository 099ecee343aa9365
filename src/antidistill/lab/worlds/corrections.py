"""Markers carry corrections: the hard world."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from antidistill.lab.worlds import dial
from antidistill.lab.worlds.base import Problem, Wording, check_knob

OPENINGS = ("Wait,", "Hmm,", "Let me check:", "Actually,")
_PAIR = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrections:
    """Two moves of a dial are first made in one go, which often slips; a marker sentence makes them one by one.

    The next step starts from the right number, and says it.

    Attributes:
        steps: pairs of moves (difficulty), 1 to 6.
        skew: how much commoner small moves are (difficulty), 0 to 4.
        slip: chance that the result in one go is wrong; a wrong one is always checked.
        check: chance that a right one is checked all the same.
        variety: openings of a check in use.
    """

    name: ClassVar[str] = "corrections"
    tells: ClassVar[str] = "A marker sentence checks the step before it by a second route and says the right result."
    pace: ClassVar[float] = 1.0
    steps: int = 2
    skew: float = 1.9
    slip: float = 0.3
    check: float = 0.9
    variety: int = 4

    def __post_init__(self) -> None:
        check_knob("steps", self.steps, 1, 6)
        check_knob("skew", self.skew, 0, 4)
        check_knob("slip", self.slip, 0, 1)
        check_knob("check", self.check, 0, 1)
        check_knob("variety", self.variety, 1, 4)

    def problem(self, random: random.Random) -> Problem:
        """Draws a problem."""
        return dial.draw(random, _PAIR * self.steps, self.skew, _PAIR)

    def write(self, problem: Problem, random: random.Random, *, reflection: bool = True) -> str:
        """The reasoning; without reflection each step is its right result in one go."""
        wording = Wording(random, self.variety)
        sentences = []
        for shown, (first, second) in dial.steps(problem, _PAIR):
            between, right = dial.turned(shown, first), dial.turned(shown, first, second)
            slips = reflection and wording.happens(self.slip)
            said = dial.wrong(random, right) if slips else right
            sentences.append(dial.IN_ONE_GO.format(said))
            if reflection and (slips or wording.happens(self.check)):
                opening = wording.one_of(OPENINGS)
                sentences.append(f"{opening} {shown} + {first} = {between} and {between} + {second} = {right}.")
        return " ".join(sentences)

    def is_right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer is what the dial shows."""
        return dial.is_right(problem, answer)
