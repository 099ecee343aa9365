"""What a client has sent itself: an engine may say it again, because it tells the client nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_FIELDS = """
model stop stop_sequences tools tool_choice response_format text metadata user instructions conversation prompt
safety_identifier prompt_cache_key
""".split()
"""Fields that responses repeat. Messages are none of them: they hold restored originals of earlier turns."""


class Echoes:
    """The strings in a request outside of its messages.

    Args:
        body: the request.
    """

    __slots__ = ("_body", "_strings")

    def __init__(self, body: Mapping[str, Any] | None = None) -> None:
        self._body = body or {}
        self._strings: frozenset[str] | None = None

    def __contains__(self, text: object) -> bool:
        if self._strings is None:  # few responses repeat anything that is not a plain word
            self._strings = frozenset(strings_in([self._body.get(name) for name in _FIELDS]))
        return text in self._strings


def strings_in(value: Any) -> Iterator[str]:
    """All strings in a JSON value, names of members too."""
    level = [value]
    while level:
        one = level.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            level += [*one, *one.values()]
        elif isinstance(one, list):
            level += one
