"""What the names and types of a row's values say to the quick way, as `formats.plain` reads them."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from antidistill.errors import RowError
from antidistill.formats.plain import shape

_TYPES = {"s": str, "i": int, "f": float, "b": bool, "n": type(None)}


class Layout(NamedTuple):
    """Numbers of values, from 0; lists of them as bytes, best first.

    Attributes:
        reasoning: the reasoning.
        asks: some value, a blank one perhaps, is a prompt as text.
        answers, texts, prompts, ids: what may be the answer, all other texts, what may be the prompt (texts only), the id.
    """

    reasoning: int
    asks: bool
    answers: bytes
    texts: bytes
    prompts: bytes
    ids: bytes


def layout_of(keys: tuple[bytes, ...], kinds: str) -> Layout | None:
    """The layout of rows with these keys and kinds of values; None where they are no plain rows.

    Args:
        keys: each key as JSON.
        kinds: a letter for each value: `s` text, `i` whole number, `f` other number, `b` true or false, `n` null.
    """
    names = tuple(map(orjson.loads, keys))
    if len(set(names)) < len(names) or any(orjson.dumps(name) != key for name, key in zip(names, keys, strict=True)):
        return None
    try:
        found = shape(names, tuple(_TYPES[kind] for kind in kinds))
    except RowError:
        return None
    if found is None or found.columns.details:
        return None
    number = {name: position for position, name in enumerate(names)}
    is_text = {name: kind == "s" for name, kind in zip(names, kinds, strict=True)}
    columns = found.columns
    asking = [name for name in (*columns.prompts, *columns.requests) if is_text[name]]
    prompts = [name for name in columns.prompts if is_text[name]]
    groups = (found.answers, found.texts, prompts, columns.ids)
    return Layout(number[found.reasoning], bool(asking), *(bytes(map(number.__getitem__, group)) for group in groups))
