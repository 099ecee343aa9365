"""What the guarded streams of all dialects have to know about a response."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from antidistill.serve.guard.lane import Guard
from antidistill.serve.policies import Unopened, Usage


@dataclass(frozen=True, slots=True)
class Context:
    """How one response is treated.

    Attributes:
        guard: how its reasoning is guarded.
        unopened: what answer text without an opening delimiter is taken for.
        usage: what usage counts say.
        paced: reasoning is given out as `Paced` parts.
        max_event_bytes: length of the longest event that is taken.
        echoes: strings of the request, which a response may repeat.
    """

    guard: Guard
    unopened: Unopened = Unopened.HOLD
    usage: Usage = Usage.VISIBLE
    max_event_bytes: int = 8_388_608
    paced: bool = False
    echoes: Container[str] = frozenset()


@dataclass(slots=True)
class Seen:
    """Characters of one response, to count usage by.

    Attributes:
        came: of reasoning, from the engine.
        left: of reasoning, to the client.
        answered: of answers.
    """

    came: int = 0
    left: int = 0
    answered: int = 0
