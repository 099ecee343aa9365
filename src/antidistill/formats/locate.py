"""Finds the traces of a row: the reasoning in every place where it stands, with its prompt and its answer."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from antidistill.formats.chat import Candidate
from antidistill.formats.dialects import Plan, candidates, id_in, plain_answer, plan, prompt_in
from antidistill.formats.found import Found, KeyPath, Place, Row, strings
from antidistill.formats.messages import CLOSINGS, OPENINGS
from antidistill.text import thinking
from antidistill.trace import Trace

SHORTEST_COPY = 32
"""Characters; shorter reasoning is only looked for where reasoning is expected, not in other strings of the row."""

_EDGES = frozenset(opening[0] for opening in OPENINGS) | {closing[-1] for closing in CLOSINGS}
_BEFORE_REASONING = _EDGES | set(string.whitespace)


@dataclass(slots=True)
class _Draft:
    prompt: str
    reasoning: str
    answer: str
    places: list[Place]


def locate(row: Row, name: str = "") -> list[Found]:
    """The traces of a row, in the order of its columns.

    All places where the same reasoning stands belong to one trace: where a dialect has it, and any other string that
    holds it verbatim, except the prompt and the answer. Reasoning that is there but empty gives a trace with empty
    reasoning. A row that could hold reasoning but holds none gives no trace.

    Trace ids are the id of the row, or `name` where the row has none; several traces of one row are told apart by "#1",
    "#2" … behind it.

    Args:
        row: the row, as a reader of JSON or Parquet gives it.
        name: what to call the row if no column holds an id, such as its number in the file.

    Raises:
        RowError: no column can hold reasoning.
    """
    columns = plan(tuple(row))
    own = id_in(row, columns) or name
    simple = _alone(row, columns)
    if simple:
        return [_found(own, simple)]
    drafts = _drafts(candidates(row, columns))
    _add_copies(row, drafts)
    if len(drafts) == 1:
        return [_found(own, drafts[0])]
    return [_found(f"{own}#{number}", draft) for number, draft in enumerate(drafts, 1)]


def _alone(row: Row, columns: Plan) -> _Draft | None:
    """The draft of a row with one column of reasoning and nothing else to look into; a short cut for most rows."""
    if len(columns.reasoning) != 1:
        return None
    name, answers = columns.reasoning[0]
    text = row[name]
    if type(text) is not str or len(text) < SHORTEST_COPY or text.strip() is not text:
        return None
    if text[0] in _EDGES or text[-1] in _EDGES:
        return None
    answer = plain_answer(row, answers)
    draft = _Draft(prompt_in(row, columns), text, answer, [Place((name,), 0, len(text))])
    if (answer[:1] in _BEFORE_REASONING or len(answer) > len(text)) and thinking.may_hold(answer):
        return None  # it may open with reasoning, or repeat it between delimiters
    return None if _has_more(row, name, columns.outputs, draft) else draft


def _has_more(row: Row, reasoning: str, outputs: tuple[str, ...], draft: _Draft) -> bool:
    """Whether another column may hold a copy of the reasoning, or a column of model output reasoning of its own."""
    least = len(draft.reasoning)
    for name, value in row.items():
        kind = type(value)
        if kind is dict or kind is list:
            return True
        if kind is str and len(value) >= least and name != reasoning and value not in (draft.answer, draft.prompt):
            return True
    for name in outputs:
        value = row[name]
        if type(value) is str and thinking.may_hold(value):
            return True
    return False


def _found(trace_id: str, draft: _Draft) -> Found:
    return Found(Trace(trace_id, draft.prompt, draft.reasoning, draft.answer), tuple(draft.places))


def _drafts(found: Sequence[Candidate]) -> list[_Draft]:
    """One draft for candidates with the same reasoning, apart from white space around it."""
    if len(found) == 1:
        return [_draft(found)]
    groups: dict[object, list[Candidate]] = {}
    for candidate in found:
        empty = candidate[:4]  # empty ones are not the same because they are empty
        groups.setdefault(candidate.reasoning.strip() or empty, []).append(candidate)
    return [_draft(group) for group in groups.values()]


def _draft(group: Sequence[Candidate]) -> _Draft:
    shared = min((candidate.reasoning for candidate in group), key=len)
    if len(group) > 1 and not all(shared in candidate.reasoning for candidate in group):
        shared = shared.strip()
    places = [_place(candidate, shared) for candidate in group]
    return _Draft(group[0].prompt, shared, group[0].answer, places)


def _place(candidate: Candidate, shared: str) -> Place:
    start, end = candidate.start, candidate.end
    if end - start != len(shared):
        start = candidate.text.index(shared, start, end)
    return Place(candidate.path, start, start + len(shared))


def _add_copies(row: Row, drafts: list[_Draft]) -> None:
    """Adds the other strings of the row that hold the reasoning of a draft.

    The strings where a dialect has reasoning are left alone: outside of it they hold a prompt or an answer.
    """
    sought = [draft for draft in drafts if len(draft.reasoning.strip()) >= SHORTEST_COPY]
    if not sought:
        return
    sought.sort(key=lambda draft: len(draft.reasoning), reverse=True)
    read = {place.path for draft in drafts for place in draft.places}
    for path, text in strings(row, len(sought[-1].reasoning.strip())):
        if path not in read and not any(text in (draft.prompt, draft.answer) for draft in drafts):
            _add_copies_in(path, text, sought)


def _add_copies_in(path: KeyPath, text: str, sought: list[_Draft]) -> None:
    taken: list[tuple[int, int]] = []
    for draft in sought:
        core = draft.reasoning.strip()
        for start in _occurrences(core, text):
            if all(start >= end or start + len(core) <= begin for begin, end in taken):
                taken.append((start, start + len(core)))
                _add_copy(draft, path, text, start)


def _occurrences(core: str, text: str) -> Iterator[int]:
    at = text.find(core)
    while at >= 0:
        yield at
        at = text.find(core, at + len(core))


def _add_copy(draft: _Draft, path: KeyPath, text: str, start: int) -> None:
    """Adds a place; one that lacks the white space around the reasoning takes it from the other places too."""
    before = len(draft.reasoning) - len(draft.reasoning.lstrip())
    if start < before or not text.startswith(draft.reasoning, start - before):
        core = draft.reasoning.strip()
        draft.places = [Place(p, at + before, at + before + len(core)) for p, at, _ in draft.places]
        draft.reasoning, before = core, 0
    draft.places.append(Place(path, start - before, start - before + len(draft.reasoning)))
