"""Questions with a gold answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A question that a student is asked.

    Attributes:
        id: unique in its set.
        text: as it is asked, choices included.
        gold: the right answer.
        grader: name of the grader: math, letter, exact or one of another package.
        subject: group that it belongs to; may be empty.
    """

    id: str
    text: str
    gold: str
    grader: str = "exact"
    subject: str = ""
