"""Markers carry the plan: a search with backtracking whose next attempt is announced in a marker sentence and nowhere else."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from antidistill.lab.worlds import dial
from antidistill.lab.worlds.base import Problem, Wording, check_knob

TRIES = ("I try {a}, {b}.", "First {a}, {b}.")
TURNS = ("Wait, next {a}, {b}.", "Hmm, so {a}, {b}.", "Alternatively, {a}, {b}.", "Actually, try {a}, {b}.")
SHOWN = ("It shows {x}, then {y}.", "That gives {x}, then {y}.")
_WANTED = 0
_PAIR = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Which of some pairs of moves turns the dial to zero? Try them in order, from the start again where one fails.

    The sentence after an announcement says only what the dial shows, so that what is tried stands in the marker sentence alone.

    Attributes:
        pairs: how many there are to choose from (difficulty), 2 to 5.
        skew: how much commoner small moves are (difficulty), 0 to 4.
        variety: wordings of each sentence in use.
    """

    name: ClassVar[str] = "plan"
    tells: ClassVar[str] = "A marker sentence announces the next attempt of a search; no other sentence names it."
    pace: ClassVar[float] = 2.0
    pairs: int = 4
    skew: float = 1.5
    variety: int = 4

    def __post_init__(self) -> None:
        check_knob("pairs", self.pairs, 2, 5)
        check_knob("skew", self.skew, 0, 4)
        check_knob("variety", self.variety, 1, 4)

    def problem(self, random: random.Random) -> Problem:
        """Draws the right pair, the start from which it is right, and other pairs, which are wrong from there."""
        right = dial.pair(random, self.skew)
        start = dial.turned(_WANTED, -sum(right))
        row = [right]
        while len(row) < self.pairs:
            other = dial.pair(random, self.skew)
            if other not in row and dial.turned(start, *other) != _WANTED:
                row.append(other)
        random.shuffle(row)
        listed = " or ".join(f"{first}, {second}" for first, second in row)
        prompt = f"A dial shows {start}. It can move {listed}. It has to show {_WANTED}."
        return Problem(prompt, (start, *(move for pair in row for move in pair)), "{} and {}".format(*right))

    def write(self, problem: Problem, random: random.Random, *, reflection: bool = True) -> str:
        """The reasoning; without reflection the right pair is the first and only attempt."""
        wording = Wording(random, self.variety)
        start, *moves = problem.given
        attempts = []
        for place in range(0, len(moves), _PAIR):
            attempts.append(tuple(moves[place : place + _PAIR]))
            if dial.turned(start, *attempts[-1]) == _WANTED:
                break
        sentences = []
        for number, (first, second) in enumerate(attempts if reflection else attempts[-1:]):
            sentences.append(wording.one_of(TURNS if number else TRIES).format(a=first, b=second))
            between = dial.turned(start, first)
            sentences.append(wording.one_of(SHOWN).format(x=between, y=dial.turned(between, second)))
        return " ".join(sentences)

    def is_right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer names the two moves, in their order."""
        return answer.strip().rstrip(".") == problem.answer
