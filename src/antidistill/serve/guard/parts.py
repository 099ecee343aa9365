"""What a guarded stream gives out: bytes that may leave, and places where the original of a text is to be kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
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


class Later(NamedTuple):
    """Bytes that are made once everything before them has left, because they repeat a token of it."""

    render: Callable[[], bytes]


class Paced(NamedTuple):
    """Guarded reasoning that leaves in even pieces, not when it is decided.

    Attributes:
        key: whose reasoning it is; texts of one key leave as one.
        fields: the same stretch of the reasoning in each field that carries it.
        render: makes events of a piece of it.
    """

    key: Hashable
    fields: dict[str, str]
    render: Callable[[dict[str, str]], list[bytes]]


Part = bytes | Remember | Later | Paced


def joined(parts: Iterable[Part]) -> bytes:
    """The bytes of parts where nothing is kept for the next turn."""
    return b"".join(_bytes(part, "") for part in parts)


def ready(parts: Sequence[Part]) -> bytes | None:
    """The bytes of parts that may all leave at once; None where one of them has to be made first."""
    if len(parts) == 1:
        return parts[0] if isinstance(parts[0], bytes) else None
    made = [part for part in parts if isinstance(part, bytes)]
    return b"".join(made) if len(made) == len(parts) else None


async def kept(parts: Sequence[Part], remember: Callable[[str, str, str], Awaitable[str]]) -> bytes:
    """The bytes of parts; `remember(original, guarded, carried)` keeps originals and returns their tokens."""
    pieces = []
    for part in parts:
        token = await remember(part.original, part.guarded, part.carried) if isinstance(part, Remember) else ""
        pieces.append(_bytes(part, token))
    return b"".join(pieces)


def _bytes(part: Part, token: str) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, Paced):
        return b"".join(part.render(part.fields))
    return part.render(token) if isinstance(part, Remember) else part.render()
