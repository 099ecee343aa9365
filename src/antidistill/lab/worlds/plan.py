"""Markers carry the plan: a search with backtracking whose next attempt is announced in a marker sentence and nowhere else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

from antidistill.lab.worlds.base import Problem, Wording, check_knob

TRIES = ("I try {a} and {b}.", "First {a} and {b}.")
TURNS = ("Wait, next {a} and {b}.", "Hmm, so {a} and {b}.", "Alternatively, {a} and {b}.", "Actually, try {a} and {b}.")
LOW = ("That is {s}, too small.", "{s} is less than {t}.", "They make {s}, which is too little.")
HIGH = ("That is {s}, too big.", "{s} is more than {t}.", "They make {s}, which is too much.")
FOUND = ("That is {s}, as wanted.", "{s} is right.", "They make {s}, and that is it.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Which two numbers of a sorted row make the target? Start at both ends and move one of them after each failure.

    The sentence after an announcement says only the sum, so that what is tried stands in the marker sentence alone.

    Attributes:
        numbers: length of the row (difficulty), 3 to 10.
        largest: largest number of the row, at most 99.
        variety: wordings of each sentence in use.
    """

    name: ClassVar[str] = "plan"
    tells: ClassVar[str] = "A marker sentence announces the next attempt of a search; no other sentence names it."
    numbers: int = 6
    largest: int = 20
    variety: int = 4

    def __post_init__(self) -> None:
        check_knob("numbers", self.numbers, 3, 10)
        check_knob("largest", self.largest, self.numbers, 99)
        check_knob("variety", self.variety, 1, 4)

    def problem(self, random: random.Random) -> Problem:
        """Draws a row and a pair of it; all pairs alike."""
        row = sorted(random.sample(range(1, self.largest + 1), self.numbers))
        target = sum(random.sample(row, 2))
        first, second = next(pair for pair in self._attempts(row, target) if sum(pair) == target)
        listed = ", ".join(map(str, row))
        prompt = f"Which two of {listed} make {target}?"
        return Problem(prompt, (*row, target), f"{first} and {second}")

    def write(self, problem: Problem, random: random.Random, *, reflection: bool = True) -> str:
        """The reasoning; without reflection the right pair is the first and only attempt."""
        wording = Wording(random, self.variety)
        *row, target = problem.given
        attempts = list(self._attempts(row, target))
        sentences = []
        for number, (first, second) in enumerate(attempts if reflection else attempts[-1:]):
            total = first + second
            sentences.append(wording.one_of(TURNS if number else TRIES).format(a=first, b=second))
            verdict = FOUND if total == target else LOW if total < target else HIGH
            sentences.append(wording.one_of(verdict).format(s=total, t=target))
        return " ".join(sentences)

    def is_right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer names two different numbers of the row that make the target, in any order."""
        *row, target = problem.given
        words = answer.strip().rstrip(".").split(" and ")
        named = sorted(int(word) for word in words if word.isdecimal())
        return len(words) == 2 and tuple(named) in set(combinations(row, 2)) and sum(named) == target

    @staticmethod
    def _attempts(row: list[int], target: int) -> Iterator[tuple[int, int]]:
        """Pairs from the outside in, up to the one that makes the target."""
        low, high = 0, len(row) - 1
        while low < high:
            total = row[low] + row[high]
            yield row[low], row[high]
            if total == target:
                return
            low, high = (low + 1, high) if total < target else (low, high - 1)
