"""The front door of the defenses: make one by name, write down how it was made, and apply it."""

from __future__ import annotations

import dataclasses
import hashlib
from importlib import metadata
from typing import Any

import orjson

from antidistill import registry
from antidistill.defenses.base import Defense
from antidistill.defenses.choices import key_id
from antidistill.defenses.mix import Mix
from antidistill.defenses.sentences import FirstCut
from antidistill.defenses.text_defense import SentenceWise
from antidistill.errors import AntidistillError, BadOption, DefenseError, LedgerError, UnknownName
from antidistill.text.markers import DEFAULT, Markers
from antidistill.trace import Edit, Guarded, Span, Trace, as_spans


def make(name: str, *, key: bytes = b"", mix: float | None = None, **options: Any) -> Defense:
    """The defense `name` with its options.

    Args:
        name: one of `antidistill methods`.
        key: the secret that its choices come from.
        mix: guard each trace with this probability only.
        options: fields of the defense.

    Raises:
        UnknownName: no such method, or no such option of it.
        BadOption: an option out of its range.
    """
    defense_class = registry.load("defenses", name)
    registry.check_options(name, options, defense_class)
    accepts_key = any(field.name == "key" for field in dataclasses.fields(defense_class))
    defense: Defense = defense_class(**options, **({"key": key} if accepts_key else {}))
    return defense if mix is None else Mix(inner=defense, probability=mix, key=key)


def spec(defense: Defense) -> str:
    """The JSON that rebuilds the defense: method, options, mix, key id and version; never the key."""
    inner = defense.inner if isinstance(defense, Mix) else defense
    options = {name: _plain(getattr(inner, name)) for name in registry.options_of(type(inner))}
    record = {
        "method": name_of(inner),
        "options": {name: value for name, value in options.items() if value is not None},
        "mix": defense.probability if isinstance(defense, Mix) else None,
        "key_id": key_id(getattr(defense, "key", b"")),
        "version": metadata.version("antidistill"),
    }
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS).decode()


def from_spec(text: str, key: bytes) -> Defense:
    """The defense that a spec describes.

    Raises:
        LedgerError: the key is not the one that the spec names.
    """
    record = orjson.loads(text)
    if record["key_id"] and record["key_id"] != key_id(key):
        raise LedgerError(
            f"the spec names key {record['key_id']}, the given key is {key_id(key)}; give the key of that run."
        )
    return make(record["method"], key=key, mix=record["mix"], **record["options"])


def spec_hash(text: str) -> str:
    """SHA-256 of a spec, 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def name_of(defense: Defense) -> str:
    """The name under which the defense is registered."""
    name = getattr(defense, "name", None)
    if isinstance(name, str):
        return name
    for known in registry.names("defenses"):
        if registry.load("defenses", known) is type(defense):
            return known
    raise UnknownName("defense", type(defense).__name__, registry.names("defenses"))


def edit(defense: Defense, text: str, trace_key: bytes) -> list[Edit]:
    """The edits that the defense makes of a whole reasoning; the same as feeding it to `begin(trace_key)`.

    Raises:
        DefenseError: the defense failed.
    """
    return [Edit(*span) for span in spans(defense, text, trace_key)]


def spans(defense: Defense, text: str, trace_key: bytes) -> list[Span]:
    """The same as tuples.

    Raises:
        DefenseError: the defense failed.
    """
    try:
        whole = getattr(defense, "spans", None)
        if whole is not None:
            found: list[Span] = whole(text, trace_key)
            return found
        return as_spans(_edits(defense, text, trace_key))
    except AntidistillError:
        raise
    except Exception as error:
        raise DefenseError(f"the defense {type(defense).__name__} failed ({type(error).__name__})") from error


def first_cut(defense: Defense) -> FirstCut | None:
    """The rule of a defense that cuts the first candidates and asks for no key; None for any other."""
    return defense.first_cut() if isinstance(defense, SentenceWise) else None


def _edits(defense: Defense, text: str, trace_key: bytes) -> list[Edit]:
    whole = getattr(defense, "edit", None)
    if whole is not None:
        edits: list[Edit] = whole(text, trace_key)
        return edits
    editor = defense.begin(trace_key)
    editor.feed(text)
    editor.close()
    return editor.edits


def guard(trace: Trace, defense: Defense) -> Guarded:
    """The trace with its edits; the answer is not touched."""
    return Guarded(trace, tuple(edit(defense, trace.reasoning, trace.key)), spec(defense))


def _plain(value: Any) -> Any:
    """An option as JSON."""
    if isinstance(value, Markers):
        return "default" if value == DEFAULT else {"words": list(value.words), "leads": list(value.leads)}
    if callable(value):
        raise BadOption("option", value, "a JSON value")
    return value
