"""Finds the reasoning inside raw text: `<think>…</think>` and what other models write instead.

Ambiguous text is read so that the answer stays whole: a delimiter in quotes or back ticks is a mention, the first
closing delimiter ends the reasoning, and an opening one inside the reasoning is part of it. An opening delimiter inside
a line is one where it is attached to the word before, and, if the text had no reasoning before it and is closed behind it,
where no sentence goes on behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Delimiters:
    """What stands before and after the reasoning in the raw text of one family of models.

    Attributes:
        opening: stands before the reasoning.
        closings: each of them ends the reasoning.
        answer: what stands before and after the answer, where the family marks it.
        implied: the prompt may end with the opening, so that the text starts inside the reasoning.
    """

    opening: str
    closings: tuple[str, ...]
    answer: tuple[str, str] | None = None
    implied: bool = True


DELIMITERS = (
    Delimiters("<think>", ("</think>",)),
    Delimiters("<thinking>", ("</thinking>",)),
    Delimiters("<thought>", ("</thought>",)),
    Delimiters("<reasoning>", ("</reasoning>",)),
    Delimiters(
        "<|begin_of_thought|>", ("<|end_of_thought|>",), answer=("<|begin_of_solution|>", "<|end_of_solution|>")
    ),
    Delimiters("[THINK]", ("[/THINK]",)),
    Delimiters("◁think▷", ("◁/think▷",)),
    Delimiters("<seed:think>", ("</seed:think>",)),
    Delimiters("<|START_THINKING|>", ("<|END_THINKING|>",), answer=("<|START_RESPONSE|>", "<|END_RESPONSE|>")),
    Delimiters(
        "<|channel|>analysis<|message|>",
        ("<|end|>", "<|start|>", "<|channel|>", "<|return|>", "<|call|>"),
        answer=("<|channel|>final<|message|>", "<|return|>"),
        implied=False,
    ),
)
"""R1 and Qwen, prompted models (3 spellings), OpenThoughts and Sky-T1, Magistral, Kimi, Seed, Command A, gpt-oss."""

TURN_HEADERS = (
    "<｜Assistant｜>",
    "<|Assistant|>",
    "<|assistant|>",
    "<|im_start|>assistant\n",
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "<start_of_turn>model\n",
    "[/INST]",
)
"""What chat templates write before the assistant's text; reasoning without an opening starts after the last of them."""

_QUOTES = frozenset("`'\"“”‘’«»")
_BEFORE_A_TAG = frozenset("\n\r>]▷|:.!?。！？")
_BEFORE_AN_OPEN_END = frozenset("\n\r>]▷|")
_END_OF_WORD = re.compile(r"[0-9A-Za-z\u00c0-\u1fff)}*$]")  # of a script that puts blanks between words
_SENTENCE_GOES_ON = re.compile(r"[,.;:!?)]| [a-z]")
_BLANKS_LOOKED_AT = 80
_SPECIAL_TOKEN = "<|"  # never part of a sentence


_FIRST_CHARACTERS = frozenset(d.opening[0] for d in DELIMITERS)
_ALL_SIGNS = [sign for d in DELIMITERS for sign in (d.opening, *(d.closings if d.implied else ()))]
_SIGNS = [(last, [s for s in _ALL_SIGNS if s[-1] == last]) for last in sorted({s[-1] for s in _ALL_SIGNS})]
"""A text without any of them holds no reasoning; by last character, because looking for that first is much faster."""
SHORTEST = min(map(len, _ALL_SIGNS)) + 1
"""Characters; shorter text holds no reasoning."""
_BY_LOWERED = {sign.lower(): sign for sign in _ALL_SIGNS}
_ANY_CASE = re.compile("|".join(map(re.escape, _BY_LOWERED)), re.IGNORECASE | re.ASCII)


class Thought(NamedTuple):
    """One block of reasoning in a text and the answer that follows it; all offsets are characters.

    Attributes:
        opens: where the opening delimiter starts; equals `start` where there is none.
        start, end: the reasoning, without its delimiters.
        answer_start, answer_end: the text that follows, up to the next block, without white space in front.
    """

    opens: int
    start: int
    end: int
    answer_start: int
    answer_end: int


class _Span(NamedTuple):
    delimiters: Delimiters
    opens: int
    start: int
    end: int
    closes: int


def find(text: str) -> list[Thought]:
    """All blocks of reasoning in `text`, in order and apart from each other; empty if there is none.

    A text that has only a closing delimiter starts inside the reasoning. A block that is never closed reaches to the
    end of the text and leaves an empty answer.
    """
    spans = list(_spans(text))
    if not spans:
        return []
    stops = [*(span.opens for span in spans), len(text)][1:]
    return [Thought(*span[1:4], *_answer(text, span, stop)) for span, stop in zip(spans, stops, strict=True)]


def _spans(text: str) -> Iterator[_Span]:
    head = _head(text) if text.lstrip()[:1] in _FIRST_CHARACTERS else None
    if head:
        yield head
    after = head.closes if head else 0
    if not may_hold(text[after:]):
        return
    pending = {d: _first(text, d, after) for d in DELIMITERS}
    nearest = _nearest(pending) if head else _unopened(text, pending) or _nearest(pending)
    while nearest:
        yield nearest
        for d, span in pending.items():
            if span and span.opens < nearest.closes:
                pending[d] = _first(text, d, nearest.closes)
        nearest = _nearest(pending)


def _head(text: str) -> _Span | None:
    """The block that the text opens with; the usual case, found without looking for the other delimiters."""
    opens = len(text) - len(text.lstrip())
    for delimiters in DELIMITERS:
        if text.startswith(delimiters.opening, opens):
            return _first(text, delimiters, 0)
    return None


def may_hold(text: str) -> bool:
    """Whether `find` may find something: a quick look."""
    for last, signs in _SIGNS:
        if last in text:
            for sign in signs:
                if sign in text:
                    return True
    return False


def may_hold_in_any_case(text: str) -> bool:
    """The same for delimiters in any capitals."""
    if not ((">" in text and "<" in text) or "k]" in text or "K]" in text or "▷" in text):  # for speed without a loop
        return False
    lowered = text.lower()
    return any(sign in lowered for sign in _BY_LOWERED)


def in_any_case(text: str) -> str:
    """The text with delimiters in other capitals spelled as `find` knows them; empty if there is none in it."""
    if not may_hold_in_any_case(text):
        return ""
    return _ANY_CASE.sub(lambda match: _BY_LOWERED[match[0].lower()], text)


def _nearest(pending: dict[Delimiters, _Span | None]) -> _Span | None:
    return min(filter(None, pending.values()), key=lambda span: span.opens, default=None)


def _first(text: str, delimiters: Delimiters, after: int) -> _Span | None:
    """First block at or after `after` between these delimiters."""
    closes_somewhere = True
    at = text.find(delimiters.opening, after)
    while at >= 0:
        start = at + len(delimiters.opening)
        if _is_tag(text, at, after, delimiters.opening):
            end, closes = _closing(text, delimiters, start) if closes_somewhere else (-1, -1)
            if end >= 0:
                return _Span(delimiters, at, start, end, closes)
            closes_somewhere = False
            if _may_stay_open(text, at, delimiters.opening):
                return _Span(delimiters, at, start, len(text), len(text))
        at = text.find(delimiters.opening, start)
    return None


def _unopened(text: str, pending: dict[Delimiters, _Span | None]) -> _Span | None:
    """The block of a text that starts inside the reasoning."""
    closings = [(*_closing(text, d, 0), d) for d in pending if d.implied]
    end, closes, delimiters = min((c for c in closings if c[0] >= 0), default=(-1, -1, None), key=lambda c: c[0])
    opened = _nearest(pending)
    if delimiters is None or (opened and opened.opens < end):
        return None
    start = max(at + len(header) if (at := text.rfind(header, 0, end)) >= 0 else 0 for header in TURN_HEADERS)
    opens, start = _opened_in_line(text, delimiters.opening, start, end)
    return _Span(delimiters, opens, start, end, closes)


def _opened_in_line(text: str, opening: str, begin: int, end: int) -> tuple[int, int]:
    """Start and end of the opening delimiter behind other words of a line; `begin` twice if all of them are mentions."""
    at = _unquoted(text, opening, begin)
    while 0 <= at < end:
        start = at + len(opening)
        if not _SENTENCE_GOES_ON.match(text, start):
            return at, start
        at = _unquoted(text, opening, start)
    return begin, begin


def _closing(text: str, delimiters: Delimiters, start: int) -> tuple[int, int]:
    """Start and end of the first closing delimiter that is not a mention; (-1, -1) if there is none."""
    found = [(at, at + len(c)) for c in delimiters.closings if (at := _unquoted(text, c, start)) >= 0]
    return min(found, default=(-1, -1))


def _unquoted(text: str, sign: str, start: int) -> int:
    at = text.find(sign, start)
    while at > 0 and text[at - 1] in _QUOTES and text[at + len(sign) : at + len(sign) + 1] in _QUOTES:
        at = text.find(sign, at + len(sign))
    return at


def _is_tag(text: str, at: int, after: int, opening: str) -> bool:
    """Whether an opening delimiter is one, not a word in a sentence or in a code block of the answer."""
    begins = _follows(text, at, opening, _BEFORE_A_TAG) or _END_OF_WORD.match(text, at - 1)
    return bool(begins) and (after == 0 or text.count("```", after, at) % 2 == 0)


def _may_stay_open(text: str, at: int, opening: str) -> bool:
    return _follows(text, at, opening, _BEFORE_AN_OPEN_END) or text.endswith("Assistant: ", 0, at)


def _follows(text: str, at: int, opening: str, allowed: frozenset[str]) -> bool:
    before = text[max(0, at - _BLANKS_LOOKED_AT) : at].rstrip(" \t")
    return not before or before[-1] in allowed or opening.startswith(_SPECIAL_TOKEN)


def _answer(text: str, span: _Span, stop: int) -> tuple[int, int]:
    start = span.closes
    if span.delimiters.answer:
        opening, closing = span.delimiters.answer
        marked = text.find(opening, span.end, stop)
        if marked >= 0:
            start = marked + len(opening)
            end = text.find(closing, start, stop)
            stop = end if end >= 0 else stop
    start = min(start, stop)
    while start < stop and text[start].isspace():
        start += 1
    return start, stop
