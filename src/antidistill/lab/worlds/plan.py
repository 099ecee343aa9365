"""Markers carry the plan: a search with backtracking whose next attempt is announced in a marker sentence and nowhere else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from antidistill.lab.worlds import dial
from antidistill.lab.worlds.base import Problem, Wording, check_knob

TRIES = ("I try {}.", "First {}.")
TURNS = ("Wait, next {}.", "Hmm, so {}.", "Alternatively, {}.", "Actually, try {}.")
SHOWN = ("It shows {}.", "That gives {}.")
_WANTED = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Which of some groups of moves turns the dial to zero? Try them in order, from the start again where one fails.

    The sentence after an announcement says only what the dial shows, so that what is tried stands in the marker sentence alone.

    Attributes:
        groups: how many there are to choose from (difficulty), 2 to 5.
        moves: how many a group has (difficulty), 2 to 4.
        skew: how much commoner small moves are (difficulty), 0 to 4.
        variety: wordings of each sentence in use.
    """

    name: ClassVar[str] = "plan"
    tells: ClassVar[str] = "A marker sentence announces the next attempt of a search; no other sentence names it."
    pace: ClassVar[float] = 1.9
    groups: int = 4
    moves: int = 3
    skew: float = 1.5
    variety: int = 4

    def __post_init__(self) -> None:
        check_knob("groups", self.groups, 2, 5)
        check_knob("moves", self.moves, 2, 4)
        check_knob("skew", self.skew, 0, 4)
        check_knob("variety", self.variety, 1, 4)

    def problem(self, random: random.Random) -> Problem:
        """Draws the right group, the start from which it is right, and other groups, which are wrong from there."""
        right = dial.moves(random, self.moves, self.skew)
        start = dial.turned(_WANTED, -sum(right))
        row = [right]
        while len(row) < self.groups:
            other = dial.moves(random, self.moves, self.skew)
            if other not in row and dial.turned(start, *other) != _WANTED:
                row.append(other)
        random.shuffle(row)
        listed = " or ".join(_listed(group) for group in row)
        prompt = f"A dial shows {start}. It can move {listed}. It has to show {_WANTED}."
        return Problem(prompt, (start, *(move for group in row for move in group)), " and ".join(map(str, right)))

    def write(self, problem: Problem, random: random.Random, *, reflection: bool = True) -> str:
        """The reasoning; without reflection the right group is the first and only attempt."""
        wording = Wording(random, self.variety)
        start, *given = problem.given
        attempts: list[Sequence[int]] = []
        for place in range(0, len(given), self.moves):
            attempts.append(given[place : place + self.moves])
            if dial.turned(start, *attempts[-1]) == _WANTED:
                break
        sentences = []
        for number, group in enumerate(attempts if reflection else attempts[-1:]):
            shown = (dial.turned(start, *group[: step + 1]) for step in range(self.moves))
            sentences.append(wording.one_of(TURNS if number else TRIES).format(_listed(group)))
            sentences.append(wording.one_of(SHOWN).format(", then ".join(map(str, shown))))
        return " ".join(sentences)

    def is_right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer names the moves of the right group, in their order."""
        return answer.strip().rstrip(".") == problem.answer


def _listed(group: Sequence[int]) -> str:
    return ", ".join(map(str, group))
