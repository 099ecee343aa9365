"""A dial with the numbers 0 to 9: what the worlds reason about.

One move at a time is one of 90 facts, and small moves are commoner than large ones, so that a small model soon knows most of
them. Two moves in one go are one of 810 facts with a number in between that is never said: the hard route.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from antidistill.lab.worlds.base import Problem, Wording

SIZE = 10
IN_ONE_GO = "Now it shows {}."
"""What the dial shows after two moves, said without naming them."""
_MOVES = range(1, SIZE)
_ONE_MOVE = ("{a} + {b} = {{}}", "{a} and {b} make {{}}", "{a} plus {b} is {{}}", "then {b} more gives {{}}")


class Claim(NamedTuple):
    """A clause with a gap, and the number that belongs there."""

    clause: str
    result: int

    def says(self, number: int | None = None) -> str:
        """The clause with its number, or with another one."""
        return self.clause.format(self.result if number is None else number)

    def sentence(self, number: int | None = None) -> str:
        """The same as a sentence."""
        said = self.says(number)
        return f"{said[:1].upper()}{said[1:]}."


def draw(random: random.Random, moves: int, skew: float, together: int = 1) -> Problem:
    """A start and some moves; `together` of them are named in one breath.

    Args:
        random: draws the start evenly, and a move by k with weight k to the power of -skew.
        moves: how many there are.
        skew: how much commoner small moves are, at least 0.
        together: how many moves stand between two semicolons.
    """
    start = random.randrange(SIZE)
    drawn = random.choices(_MOVES, _weights(skew), k=moves)
    groups = [drawn[place : place + together] for place in range(0, moves, together)]
    between = ", " if together == 1 else "; "
    listed = between.join(", ".join(map(str, group)) for group in groups)
    return Problem(f"A dial shows {start}. It moves {listed}.", (start, *drawn), str(turned(start, *drawn)))


def moves(random: random.Random, count: int, skew: float) -> list[int]:
    """So many moves; `skew` as in `draw`."""
    return random.choices(_MOVES, _weights(skew), k=count)


def turned(start: int, *moves: int) -> int:
    """What the dial shows after the moves."""
    return (start + sum(moves)) % SIZE


def one_move(wording: Wording, shown: int, move: int) -> Claim:
    """One move in one of the ways to say it; the last way does not repeat what the dial showed."""
    return Claim(wording.one_of(_ONE_MOVE).format(a=shown, b=move), turned(shown, move))


def steps(problem: Problem, together: int = 1) -> Sequence[tuple[int, tuple[int, ...]]]:
    """What the dial shows before each step, and the moves of the step."""
    shown, *moves = problem.given
    found = []
    for place in range(0, len(moves), together):
        group = tuple(moves[place : place + together])
        found.append((shown, group))
        shown = turned(shown, *group)
    return found


def _weights(skew: float) -> list[float]:
    return [move**-skew for move in _MOVES]


def wrong(random: random.Random, right: int) -> int:
    """A neighbour of the right number."""
    return turned(right, random.choice((1, -1)))


def is_right(problem: Problem, answer: str) -> bool:
    """Whether the answer is the number that the dial shows."""
    return answer.strip().rstrip(".") == problem.answer
