"""What a guarded stream gives out: bytes that may leave, and places where the original of a text is to be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Remember(NamedTuple):
    """A reasoning has ended: its original is to be kept for the next turn.

    Attributes:
        original, guarded: the text as it came and as it left.
        carried: what the engine had put into the field that a token takes.
        render: makes what leaves at this place from the token ("" where there is none).
    """

    original: str
    guarded: str
    carried: str
    render: Callable[[str], bytes]


Part = bytes | Remember
