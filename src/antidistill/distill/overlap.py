"""Training traces and test questions must not overlap: a student that saw a question proves nothing by answering it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from antidistill.distill.questions import Question
from antidistill.errors import Overlap
from antidistill.trace import Trace

_LEAST = 40
"""Letters, digits and signs from which a text inside another one is no coincidence."""
_SHOWN = 3
_DROPPED = re.compile(r"[^\w+\-*/^=<>]+")


def overlapping(traces: Sequence[Trace], questions: Sequence[Question]) -> list[Question]:
    """The questions that a trace was asked too.

    Texts are compared without case, punctuation and white space. A question overlaps if a prompt equals it, or if one of the two
    holds the other and that has at least 40 letters, digits and signs (prompts carry instructions).
    """
    prompts = {_plain(trace.prompt) for trace in traces}
    texts = [_plain(question.text) for question in questions]
    leaked = {text for text in texts if text in prompts} | _held(texts, prompts) | _holding(texts, prompts)
    return [question for question, text in zip(questions, texts, strict=True) if text in leaked]


def _held(texts: Iterable[str], others: Iterable[str]) -> set[str]:
    """The texts that stand inside one of the others; time is linear in the characters, but for chance hits."""
    by_head = _by_head(texts)
    return {
        text
        for other in others
        for place in range(len(other) - _LEAST + 1)
        for text in by_head.get(other[place : place + _LEAST], ())
        if other.startswith(text, place)
    }


def _holding(texts: Iterable[str], others: Iterable[str]) -> set[str]:
    """The texts that hold one of the others."""
    by_head = _by_head(others)
    return {
        text
        for text in texts
        for place in range(len(text) - _LEAST + 1)
        if any(text.startswith(other, place) for other in by_head.get(text[place : place + _LEAST], ()))
    }


def _by_head(texts: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in set(texts):
        if len(text) >= _LEAST:
            found.setdefault(text[:_LEAST], []).append(text)
    return found


def check_apart(traces: Sequence[Trace], questions: Sequence[Question]) -> None:
    """Checks that no question is among the traces.

    Raises:
        Overlap: some are; the message names them.
    """
    found = overlapping(traces, questions)
    if found:
        raise Overlap(len(found), len(questions), [question.id for question in found[:_SHOWN]])


def without_overlap(traces: Sequence[Trace], questions: Sequence[Question]) -> list[Question]:
    """The questions that no trace was asked.

    Raises:
        Overlap: none is left.
    """
    leaked = {question.id for question in overlapping(traces, questions)}
    left = [question for question in questions if question.id not in leaked]
    if not left:
        raise Overlap(len(leaked), len(questions), _ids(questions))
    return left


def _ids(questions: Iterable[Question]) -> list[str]:
    return [question.id for question in questions][:_SHOWN]


def _plain(text: str) -> str:
    return _DROPPED.sub("", text.casefold())
