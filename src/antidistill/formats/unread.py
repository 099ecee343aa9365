"""Reasoning that a row holds where no dialect reads it: it would be published as it came, so it is named."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from antidistill.formats.columns import PROMPTS, folded, is_of_a_grader, is_setting, sounds_like_reasoning
from antidistill.formats.found import Found, KeyPath, Row
from antidistill.formats.messages import ASSISTANTS, CLOSINGS, OPENINGS, is_message, is_reasoning_block, role_of
from antidistill.text import thinking

_NOT_THE_MODELS = frozenset(
    "prompt prompts instruction instructions question system template context tools functions".split()
)
_NOT_TEXT = frozenset(
    "type id name role format status effort title description enum index signature encrypted_content data model".split()
)
"""Keys beside the text in a block of reasoning, or below a key that is called like one."""


_Owner: TypeAlias = Literal["", "reasoning", "others"]
"""What a value belongs to by the names and roles above it: others are who asked and who graded."""


class _Above(NamedTuple):
    """A value that holds others: where it stands, what they belong to, and the path of the value that says so."""

    path: KeyPath
    owner: _Owner
    root: KeyPath


class _Text(NamedTuple):
    """A string of the row; see `_Above`."""

    path: KeyPath
    text: str
    owner: _Owner
    root: KeyPath


_Places: TypeAlias = dict[KeyPath, list[tuple[int, int]]]


def unread(row: Row, found: Sequence[Found]) -> list[KeyPath]:
    """Where the row holds reasoning that is in none of the found places, each path once.

    That is text between delimiters, in any capitals, and text in blocks or under names of reasoning. What was asked, a
    grader's reasoning and the answers to the found reasoning are not looked into.

    Args:
        row: the row.
        found: the traces that `locate` finds in it.
    """
    places: _Places = {}
    for one in found:
        for path, start, end in one.places:
            places.setdefault(path, []).append((start, end))
    answers = [one.trace.answer for one in found if one.trace.reasoning.strip()]
    texts: list[_Text] = []
    for name, value in row.items():
        _collect(name, value, _Above((), "", ()), texts)
    return list(dict.fromkeys(filter(None, (_unread_at(text, places, answers) for text in texts))))


def _unread_at(at: _Text, places: _Places, answers: Sequence[str]) -> KeyPath | None:
    path, text, owner, root = at
    if path in places:
        return path if _holds_more(text, sorted(places[path])) else None
    if owner == "reasoning":
        if not text.strip() or is_setting(text):
            return None
        return path if any(other[: len(root)] == root for other in places) else root
    if not thinking.may_hold_in_any_case(text) or text in answers:
        return None
    return path if _is_between_delimiters(text) else None


def _holds_more(text: str, places: list[tuple[int, int]]) -> bool:
    """Whether there is reasoning between delimiters outside of the places."""
    before, pieces, apart = 0, [], False
    for start, end in [*places, (len(text), len(text))]:
        piece = text[before:start]
        pieces.append(piece)
        apart = apart or thinking.may_hold_in_any_case(_without_own_delimiters(piece))
        before = end
    return apart and _is_between_delimiters("".join(pieces))


def _without_own_delimiters(piece: str) -> str:
    """A piece between two places without the delimiter that closes the first and the one that opens the second."""
    closing = next((closing for closing in CLOSINGS if piece.startswith(closing)), "")
    opening = next((opening for opening in OPENINGS if piece.endswith(opening)), "")
    return piece[len(closing) :].removesuffix(opening)


def _is_between_delimiters(text: str) -> bool:
    spelled = thinking.in_any_case(text)
    return any(spelled[thought.start : thought.end].strip() for thought in thinking.find(spelled))


def _collect(step: str | int, value: Any, above: _Above, texts: list[_Text]) -> None:
    """Adds the strings of a value, or the value, that have to be looked into."""
    kind = type(value)
    if kind is not str and kind is not dict and kind is not list and kind is not tuple:
        return
    path, owner, root = (*above.path, step), above.owner, above.root
    if type(step) is str:
        owner = _under_name(step, owner)
        root = path if owner != above.owner else root
    if kind is str:
        if owner != "others":
            texts.append(_Text(path, value, owner, root))
    elif kind is dict:
        here = _in_object(value, path, owner, root)
        for name, member in value.items():
            _collect(name, member, here, texts)
    else:
        here = _Above(path, owner, root)
        for position, member in enumerate(value):
            _collect(position, member, here, texts)


def _in_object(value: dict[str, Any], path: KeyPath, owner: _Owner, root: KeyPath) -> _Above:
    if is_message(value):
        return _Above(path, "" if role_of(value) in ASSISTANTS else "others", path)
    if owner != "reasoning" and is_reasoning_block(value):
        return _Above(path, "reasoning", path)
    return _Above(path, owner, root)


@functools.lru_cache(maxsize=4096)
def _under_name(name: str, owner: _Owner) -> _Owner:
    """What the value of this name belongs to, by what it is part of."""
    if owner == "reasoning":
        return "" if folded(name) in _NOT_TEXT else owner
    if owner == "others":
        return owner
    if sounds_like_reasoning(name):
        return "reasoning"
    words = folded(name).split("_")
    is_asked = folded(name) in PROMPTS or words[-1] in _NOT_THE_MODELS
    return "others" if is_asked or is_of_a_grader(name) else owner
