"""Where two versions of a reasoning differ: from a ledger's edits, or by comparing their sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from typing import NamedTuple

from antidistill.text import Sentence, split

MOVED = "moved"
_WORD = re.compile(r"\w+|\W")


class Span(NamedTuple):
    """`original[start:end]` became `guarded[after_start:after_end]`; `reason` is empty where nobody recorded one."""

    start: int
    end: int
    after_start: int
    after_end: int
    reason: str = ""


def from_edits(edits: Iterable[tuple[int, int, int, str]]) -> list[Span]:
    """Spans of recorded edits: (start, end, length of the replacement, reason), offsets into the original, ascending."""
    spans: list[Span] = []
    shift = 0
    for start, end, replaced, reason in edits:
        spans.append(Span(start, end, start + shift, start + shift + replaced, reason))
        shift += replaced - (end - start)
    return spans


def from_texts(original: str, guarded: str) -> list[Span]:
    """Spans found by a comparison of sentences, narrowed to whole words.

    White space after a sentence does not keep it from matching; a difference there belongs to the edit beside it.
    A sentence that left one place and stands at another keeps its whole length and gets the reason "moved".
    """
    before, after = split(original), split(guarded)
    matcher = SequenceMatcher(None, _stripped(before), _stripped(after), autojunk=False)
    rough = [span for op in matcher.get_opcodes() for span in _sentence_spans(op, before, after)]
    stray = moved_sentences(rough, original, guarded)
    marked = (span._replace(reason=MOVED) if is_move(span, original, guarded, stray) else span for span in rough)
    return list(_join((_narrow(span, original, guarded) for span in marked), original, guarded))


def moved_sentences(spans: Sequence[Span], original: str, guarded: str) -> frozenset[str]:
    """Sentences, without white space around them, that left one place of the text and stand at another."""
    left: set[str] = set()
    arrived: set[str] = set()
    for span in spans:
        before = set(_cores(original[span.start : span.end]))
        after = set(_cores(guarded[span.after_start : span.after_end]))
        left |= before - after
        arrived |= after - before
    return frozenset(left & arrived)


def is_move(span: Span, original: str, guarded: str, sentences: frozenset[str]) -> bool:
    """Whether both sides of a span consist of nothing but these sentences."""
    cores = _cores(original[span.start : span.end]) + _cores(guarded[span.after_start : span.after_end])
    return bool(cores) and sentences.issuperset(cores)


def _stripped(sentences: Sequence[Sentence]) -> list[str]:
    return [sentence.strip() for sentence in sentences]


def _cores(text: str) -> list[str]:
    return [core for core in _stripped(split(text)) if core]


def _sentence_spans(
    op: tuple[str, int, int, int, int], before: Sequence[Sentence], after: Sequence[Sentence]
) -> Iterator[Span]:
    _, first, last, after_first, after_last = op
    old, new = before[first:last], after[after_first:after_last]
    if len(old) == len(new):
        yield from (Span(a.start, a.end, b.start, b.end) for a, b in zip(old, new, strict=True) if a != b)
        return
    start, after_start = _offset(before, first), _offset(after, after_first)
    yield Span(start, old[-1].end if old else start, after_start, new[-1].end if new else after_start)


def _offset(sentences: Sequence[Sentence], index: int) -> int:
    if index < len(sentences):
        return sentences[index].start
    return sentences[-1].end if sentences else 0


def _narrow(span: Span, original: str, guarded: str) -> Span:
    """Leaves out the words that both sides share at the beginning and at the end."""
    if span.reason == MOVED:
        return span
    old = _WORD.findall(original[span.start : span.end])
    new = _WORD.findall(guarded[span.after_start : span.after_end])
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    before, behind = len("".join(old[:head])), len("".join(old[len(old) - tail :]))
    return Span(span.start + before, span.end - behind, span.after_start + before, span.after_end - behind)


def _shared(old: Sequence[str], new: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _join(spans: Iterable[Span], original: str, guarded: str) -> Iterator[Span]:
    """One span instead of several that touch on both sides."""
    last: Span | None = None
    for span in spans:
        if last is None:
            last = span
        elif (last.end, last.after_end, last.reason) == (span.start, span.after_start, span.reason) and not span.reason:
            last = _narrow(Span(last.start, span.end, last.after_start, span.after_end), original, guarded)
        else:
            yield last
            last = span
    if last is not None:
        yield last
