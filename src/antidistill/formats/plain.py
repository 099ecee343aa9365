"""Plain rows: one column of reasoning, one of the answer, and short values beside them. The short way for most rows.

What `plain` finds in a row is what `locate` finds in it, and `leaks` finds nothing there; a test holds it to that.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

from antidistill.formats.columns import sounds_like_reasoning
from antidistill.formats.dialects import Plan, id_in, plain_answer, plan, prompt_in
from antidistill.formats.found import LONGEST_QUOTE, SHORTEST_COPY, Found, Place, Row
from antidistill.formats.messages import CLOSINGS, OPENINGS
from antidistill.formats.telltales import kind_of
from antidistill.text import thinking
from antidistill.trace import Trace

EDGES = "".join(sorted({opening[0] for opening in OPENINGS} | {closing[-1] for closing in CLOSINGS}))
"""What delimiters begin and end with."""
_NESTED = frozenset((dict, list, tuple))


class Shape(NamedTuple):
    """What names and types say: the column of the reasoning, those of its answer, other texts, and the plan of the row."""

    reasoning: str
    answers: tuple[str, ...]
    texts: tuple[str, ...]
    columns: Plan


def plain(row: Row, name: str) -> Found | None:
    """The trace of a plain row; None where a closer look is needed.

    Args:
        row: the row.
        name: what to call the trace if no column holds an id.

    Raises:
        RowError: no column can hold reasoning.
    """
    known = shape(tuple(row), tuple(map(type, row.values())))
    if known is None:
        return None
    own, answers, names, columns = known
    text = row[own]
    if len(text) < SHORTEST_COPY or text.strip() is not text or text[0] in EDGES or text[-1] in EDGES:
        return None
    answer, prompt = plain_answer(row, answers), prompt_in(row, columns)
    texts = [row[other] for other in names]
    if not _are_bare(texts, text, (answer, prompt)):
        return None
    trace = Trace(id_in(row, columns) or name, prompt, text, answer)
    return Found(trace, (Place((own,), 0, len(text)),))


@functools.lru_cache(maxsize=1024)
def shape(names: tuple[str, ...], types: tuple[type, ...]) -> Shape | None:
    """What names and types say of a row.

    None if they call for a closer look: two columns of reasoning, one that may betray the edit, or a nested one.
    """
    columns = plan(names)
    if len(columns.reasoning) != 1 or any(map(kind_of, names)) or sum(map(sounds_like_reasoning, names)) != 1:
        return None
    if not _NESTED.isdisjoint(types):
        return None
    own, answers = columns.reasoning[0]
    texts = tuple(name for name, kind in zip(names, types, strict=True) if kind is str and name != own)
    is_text = dict(zip(names, types, strict=True))[own] is str
    return Shape(own, answers, texts, columns) if is_text else None


def _are_bare(texts: Sequence[str], reasoning: str, beside: tuple[str, str]) -> bool:
    """Whether the texts hold no delimiters and are too short for a quote of the reasoning.

    Prompt and answer (`beside`) may be longer, but must not repeat it whole.
    """
    quote = min(len(reasoning), LONGEST_QUOTE)
    for text in texts:
        if len(text) >= quote and (_may_repeat(text, reasoning) or not any(text is one for one in beside)):
            return False
    return not thinking.may_hold_in_any_case("\n".join(texts))


def _may_repeat(text: str, reasoning: str) -> bool:
    """Whether a prompt or answer holds the reasoning, or JSON that may hold it escaped."""
    return len(text) >= len(reasoning) and (text[0] in '[{"' or reasoning in text)
