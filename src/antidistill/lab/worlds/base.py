"""What a world is: problems with checkable answers, and traces written out as English reasoning."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

from antidistill.errors import BadOption

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a world.

    Attributes:
        prompt: what the model is asked.
        given: the numbers that the prompt is made of; what they mean is the world's affair.
        answer: one right answer; `World.is_right` accepts others where there are several.
    """

    prompt: str
    given: tuple[int, ...]
    answer: str


class World(Protocol):
    """A kind of problem, and a hand that writes reasoning about it. Its fields are its knobs."""

    name: ClassVar[str]
    tells: ClassVar[str]
    """One sentence: what the markers do here."""
    pace: ClassVar[float]
    """Steps of students and proxy in this world, times those of the experiment: who has more to learn has longer."""

    def problem(self, random: random.Random) -> Problem:
        """Draws a problem."""
        ...

    def write(self, problem: Problem, random: random.Random, *, reflection: bool = True) -> str:
        """The reasoning that ends in the problem's answer.

        Args:
            problem: one that this world drew.
            random: chooses slips, branches and wording.
            reflection: False writes the straight way: no marker, no slip, no check, no dead end.
        """
        ...

    def is_right(self, problem: Problem, answer: str) -> bool:
        """Whether `answer` answers the problem."""
        ...


class Wording:
    """Chooses among ways to say the same thing.

    Attributes:
        variety: how many of the ways are in use, at least 1; the first ones are used first.
    """

    def __init__(self, random: random.Random, variety: int) -> None:
        self._random = random
        self._variety = variety

    def one_of(self, ways: Sequence[T]) -> T:
        """One of the first `variety` ways."""
        return self._random.choice(ways[: self._variety])

    def happens(self, chance: float) -> bool:
        """True with this chance."""
        return self._random.random() < chance


def check_knob(name: str, value: float, low: float, high: float) -> None:
    """Raises BadOption unless low <= value <= high."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadOption(name, value, f"a number from {low:g} to {high:g}")
