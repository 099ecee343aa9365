"""Markers carry the plan: a search with backtracking whose next attempt is announced in a marker sentence and nowhere else."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from antidistill.lab.worlds import dial
from antidistill.lab.worlds.base import Problem, Wording, check_knob

TRIES = ("I try {s} + {m}.", "First {s} + {m}.")
TURNS = ("Wait, next {s} + {m}.", "Hmm, so {s} + {m}.", "Alternatively, {s} + {m}.", "Actually, try {s} + {m}.")
MISSED = ("It shows {d}.", "That gives {d}.")
FOUND = ("It shows {d}, as wanted.", "That gives {d}, good.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Which of some moves turns the dial to one number, and which from there to another? Try them in order; undo what fails.

    The sentence after an announcement says only what the dial shows, so that what is tried stands in the marker sentence alone.

    Attributes:
        moves: how many there are to choose from (difficulty), 2 to 7.
        skew: how much commoner small moves are (difficulty), 0 to 4.
        variety: wordings of each sentence in use.
    """

    name: ClassVar[str] = "plan"
    tells: ClassVar[str] = "A marker sentence announces the next attempt of a search; no other sentence names it."
    moves: int = 3
    skew: float = 1.5
    variety: int = 4

    def __post_init__(self) -> None:
        check_knob("moves", self.moves, 2, 7)
        check_knob("skew", self.skew, 0, 4)
        check_knob("variety", self.variety, 1, 4)

    def problem(self, random: random.Random) -> Problem:
        """Draws a start, different moves, and two of them; all of them alike."""
        start = random.randrange(dial.SIZE)
        row = dial.different(random, self.moves, self.skew)
        first, second = random.choice(row), random.choice(row)
        targets = dial.turned(start, first), dial.turned(start, first, second)
        asked = "It has to show {}, then {}.".format(*targets)
        prompt = f"A dial shows {start}. It can move {', '.join(map(str, row))}. {asked}"
        return Problem(prompt, (start, *row, *targets), f"{first} and {second}")

    def write(self, problem: Problem, random: random.Random, *, reflection: bool = True) -> str:
        """The reasoning; without reflection the right move is the first and only attempt."""
        wording = Wording(random, self.variety)
        shown, *row, first, second = problem.given
        sentences = []
        for target in (first, second):
            attempts = row[: 1 + row.index(dial.turned(target, -shown))]
            for number, move in enumerate(attempts if reflection else attempts[-1:]):
                sentences.append(wording.one_of(TURNS if number else TRIES).format(s=shown, m=move))
                after = dial.turned(shown, move)
                sentences.append(wording.one_of(FOUND if after == target else MISSED).format(d=after))
            shown = target
        return " ".join(sentences)

    def is_right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer names the two moves, in their order."""
        return answer.strip().rstrip(".") == problem.answer
