"""Finds the traces of a row: the reasoning in every place where it stands, with its prompt and its answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from antidistill.formats.chat import Candidate
from antidistill.formats.dialects import candidates, id_in, plan
from antidistill.formats.found import SHORTEST_COPY, Found, KeyPath, Place, Row, strings
from antidistill.formats.plain import plain
from antidistill.trace import Trace


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
    simple = plain(row, name)
    return locate_closely(row, name) if simple is None else [simple]


def locate_closely(row: Row, name: str) -> list[Found]:
    """The same without the short way for plain rows."""
    columns = plan(tuple(row))
    own = id_in(row, columns) or name
    drafts = _drafts(candidates(row, columns))
    _add_copies(row, drafts)
    if len(drafts) == 1:
        return [_found(own, drafts[0])]
    return [_found(f"{own}#{number}", draft) for number, draft in enumerate(drafts, 1)]


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
