"""What a defense is: the two protocols that file, stream and third parties share."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from antidistill.trace import Edit


@runtime_checkable
class Editor(Protocol):
    """Guards one reasoning text that arrives in pieces.

    `edits` is complete after `close()`; offsets are characters of the original text.
    """

    edits: list[Edit]

    def feed(self, text: str) -> str:
        """Takes the next piece and returns what may leave now."""
        ...

    def close(self) -> str:
        """Ends the text and returns what was held back."""
        ...


@runtime_checkable
class Defense(Protocol):
    """A frozen dataclass whose fields are its options; `key` is the secret that all its choices come from."""

    @property
    def streams(self) -> bool:
        """False: nothing leaves before the reasoning ends."""
        ...

    def begin(self, trace_key: bytes) -> Editor:
        """An editor for one trace; `trace_key` is `Trace.key` (32 bytes)."""
        ...
