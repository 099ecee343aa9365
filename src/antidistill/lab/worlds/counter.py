"""Sums on a two-digit counter: what three of the worlds reason about.

A step moves a counter that shows 0 to 99 and rolls over. In one go, tens first, it is one of 10,000 facts, and the carry must be
foreseen. Digit by digit it is three easy claims. So a small model errs in the direct result at a known rate, and can notice.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from antidistill.lab.worlds.base import Problem, Wording

SIZE = 100

DIRECT = ("{a} + {b} = {c}.", "{a} plus {b} is {c}.", "Then {b} more gives {c}.", "It moves by {b} and shows {c}.")
"""A step in one go; the last two do not repeat what the counter showed."""
_ONES = ("{a} + {b} = {{}}", "the ones give {{}}")
_TENS = ("{a} + {b} + {carry} = {{}}", "the tens give {{}}")
_SHOWS = ("so it shows {}", "that makes {}", "so it is at {}")


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


def draw(random: random.Random, steps: int) -> Problem:
    """A start and `steps` moves."""
    given = tuple(random.randrange(SIZE) for _ in range(steps + 1))
    start, *moves = given
    listed = ", then by ".join(map(str, moves))
    prompt = f"A counter shows {start}. It moves by {listed}. What does it show?"
    return Problem(prompt, given, str(sum(given) % SIZE))


def direct(wording: Wording, shown: int, move: int, result: int) -> str:
    """The sentence that says `result` without a reason."""
    return wording.one_of(DIRECT).format(a=shown, b=move, c=result)


def claims(wording: Wording, shown: int, move: int) -> tuple[Claim, Claim, Claim]:
    """A step digit by digit: ones, tens with the carry, what the counter shows."""
    ones = shown % 10 + move % 10
    tens = shown // 10 + move // 10 + ones // 10
    return (
        Claim(wording.one_of(_ONES).format(a=shown % 10, b=move % 10), ones),
        Claim(wording.one_of(_TENS).format(a=shown // 10, b=move // 10, carry=ones // 10), tens),
        Claim(wording.one_of(_SHOWS), (shown + move) % SIZE),
    )


def wrong(random: random.Random, right: int) -> int:
    """A number near the right one: a carry forgotten, or one too many."""
    return (right + random.choice((-10, 10))) % SIZE


def is_right(problem: Problem, answer: str) -> bool:
    """Whether the answer is the number that the counter shows."""
    return answer.strip().rstrip(".") == problem.answer
