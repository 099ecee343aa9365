"""Graders: whether a text gives the right answer. `(text, gold) -> bool`, by name in the registry."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable
from importlib.util import find_spec

from antidistill.errors import MissingExtra

Grader = Callable[[str, str], bool]

_SECONDS = 5
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_LETTER_IN_BOX = re.compile(r"^[^A-Za-z]*(?:\\text\w*\s*\{)?[^A-Za-z]*([A-J])(?![A-Za-z])")
_SAID = re.compile(r"(?i:answer|option|choice)(?i:\s+is)?\s*[:=]?\s*[*$\\(\[{]*(?:\\?text\{)?\(?([A-J])(?![A-Za-z])")
_ALONE = re.compile(r"^\W*([A-J])\W*$")


def boxes(text: str) -> list[str]:
    r"""What stands in the \boxed{} of a text, in order; the last one may be cut off."""
    return [_inside(text, match.end()) for match in _BOX.finditer(text)]


def _inside(text: str, start: int) -> str:
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return text[start:place]
    return text[start:]


def math(text: str, gold: str) -> bool:
    """Whether math-verify finds an answer in `text` that equals `gold` (GSM8K and MATH; gold is LaTeX or a number).

    The last box counts, where there is one; else what math-verify takes for the answer. An expression that takes it
    longer than five seconds is wrong.

    Raises:
        MissingExtra: math-verify is not installed.
    """
    if find_spec("math_verify") is None:
        raise MissingExtra("grading of mathematics", "math-verify", "train")
    from math_verify import parse, verify

    logging.getLogger("math_verify").setLevel(logging.ERROR)
    found = boxes(text)
    given = parse(f"\\boxed{{{found[-1]}}}" if found else text, parsing_timeout=_SECONDS)
    return bool(verify(_gold(gold), given, timeout_seconds=_SECONDS))


@functools.lru_cache(maxsize=50_000)
def _gold(gold: str) -> list[object]:
    from math_verify import parse

    return list(parse(f"\\boxed{{{gold}}}", parsing_timeout=_SECONDS))


def letter(text: str, gold: str) -> bool:
    """Whether the letter that `text` chooses is `gold` (MMLU).

    The letter is in the last box, or else behind the last "answer is", "option" or "choice", or else alone on the last
    line.
    """
    return chosen_letter(text) == gold.strip().upper()


def chosen_letter(text: str) -> str | None:
    """The letter that a text chooses, A to J; None if it chooses none."""
    found = boxes(text)
    if found:
        match = _LETTER_IN_BOX.match(found[-1])
        return match[1] if match else None
    said = _SAID.findall(text)
    if said:
        return str(said[-1])
    lines = text.strip().splitlines()
    alone = _ALONE.match(lines[-1]) if lines else None
    return alone[1] if alone else None


def exact(text: str, gold: str) -> bool:
    """Whether `text` is `gold`, white space at both ends and the full stop apart (the lab)."""
    return text.strip().rstrip(".") == gold.strip().rstrip(".")
