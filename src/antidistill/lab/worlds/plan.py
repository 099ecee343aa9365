"""Markers carry the plan: a search with backtracking whose next attempt is announced in a marker sentence and nowhere else."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

from antidistill.lab.worlds.base import Problem, Wording, check_knob

TRIES = ("I try {a} and {b}.", "First {a} and {b}.")
TURNS = ("Wait, next {a} and {b}.", "Hmm, so {a} and {b}.", "Alternatively, {a} and {b}.", "Actually, try {a} and {b}.")
MISSED = ("They are {d} apart.", "That makes {d}.", "Their distance is {d}.")
FOUND = ("They are {d} apart, as wanted.", "That makes {d}, and that is it.", "Their distance is {d}, done.")
_DIGITS = range(10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Which two numbers of a row are a given distance apart? Try the pairs in order, up to the first one that is.

    The sentence after an announcement says only the distance, so that what is tried stands in the marker sentence alone.

    Attributes:
        numbers: length of the row (difficulty), 3 to 7.
        variety: wordings of each sentence in use.
    """

    name: ClassVar[str] = "plan"
    tells: ClassVar[str] = "A marker sentence announces the next attempt of a search; no other sentence names it."
    numbers: int = 4
    variety: int = 4

    def __post_init__(self) -> None:
        check_knob("numbers", self.numbers, 3, 7)
        check_knob("variety", self.variety, 1, 4)

    def problem(self, random: random.Random) -> Problem:
        """Draws a row of different digits and a pair of it; all pairs alike."""
        row = random.sample(_DIGITS, self.numbers)
        first, second = random.sample(row, 2)
        wanted = abs(first - second)
        attempts = list(_attempts(row, wanted))
        prompt = f"Which two of {', '.join(map(str, row))} are {wanted} apart?"
        return Problem(prompt, (*row, wanted), "{} and {}".format(*attempts[-1]))

    def write(self, problem: Problem, random: random.Random, *, reflection: bool = True) -> str:
        """The reasoning; without reflection the right pair is the first and only attempt."""
        wording = Wording(random, self.variety)
        *row, wanted = problem.given
        attempts = list(_attempts(row, wanted))
        sentences = []
        for number, (first, second) in enumerate(attempts if reflection else attempts[-1:]):
            sentences.append(wording.one_of(TURNS if number else TRIES).format(a=first, b=second))
            distance = abs(first - second)
            sentences.append(wording.one_of(FOUND if distance == wanted else MISSED).format(d=distance))
        return " ".join(sentences)

    def is_right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer names two numbers of the row that are so far apart, in any order."""
        *row, wanted = problem.given
        words = answer.strip().rstrip(".").split(" and ")
        named = [int(word) for word in words if word.isdecimal()]
        return len(words) == len(named) == 2 and set(named) <= set(row) and abs(named[0] - named[1]) == wanted


def _attempts(row: Sequence[int], wanted: int) -> Iterator[tuple[int, int]]:
    """Pairs in the order of the row, up to the first one that is `wanted` apart."""
    for pair in combinations(row, 2):
        yield pair
        if abs(pair[0] - pair[1]) == wanted:
            return
