"""One reasoning text on its way to the client."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from antidistill.defenses import Defense
from antidistill.defenses.base import Editor
from antidistill.errors import DefenseError, HeldTooLong
from antidistill.serve.policies import OnFailure
from antidistill.trace import Edit


@dataclass(frozen=True, slots=True)
class Guard:
    """How the reasoning of one response is guarded.

    Attributes:
        defense: edits it.
        trace_key: of the prompt, as in files (32 bytes).
        on_failure: what leaves where the defense fails.
        hold_bytes: characters that may come while nothing leaves; a lane that needs more has failed.
        undecided_bytes: characters that may wait because nobody knows yet whether they are reasoning; more fail the response.
        finished: told of every text that has ended, once.
        waited: told of every time, in seconds, in which text came and nothing left.
    """

    defense: Defense
    trace_key: bytes
    on_failure: OnFailure = OnFailure.DROP_REASONING
    hold_bytes: int = 65_536
    undecided_bytes: int = 1_048_576
    finished: Callable[[Lane], None] = lambda lane: None
    waited: Callable[[float], None] = lambda seconds: None


class Lane:
    """Runs an editor over a text; raw text never leaves past it.

    Attributes:
        field: name of the field that the text stands in.
        edits: of the original; complete once the lane is closed.
        closed: no more text is taken.
        failed: the defense failed; what was held is lost.
        failure: name of the error that it failed with.
        came, left: characters so far.
    """

    __slots__ = (
        "_editor",
        "_guard",
        "_guarded",
        "_original",
        "_since",
        "_waiting",
        "came",
        "closed",
        "edits",
        "failed",
        "failure",
        "field",
        "left",
    )

    def __init__(self, guard: Guard, field: str = "") -> None:
        self.field = field
        self.edits: list[Edit] = []
        self.closed = self.failed = False
        self.failure = ""
        self._since = 0.0
        self.came = self.left = self._waiting = 0
        self._guard = guard
        self._original: list[str] = []
        self._guarded: list[str] = []
        self._editor: Editor | None = None

    @property
    def original(self) -> str:
        """All text that came."""
        return "".join(self._original)

    @property
    def guarded(self) -> str:
        """All text that left."""
        return "".join(self._guarded)

    @property
    def held(self) -> str:
        """Text that came and is not decided; an editor that does not tell is taken to hold all since it last gave something.

        Nothing where the defense does not stream: it holds everything by design.
        """
        if self.closed or self.failed or self._editor is None or not self._guard.defense.streams:
            return ""
        own = getattr(self._editor, "held", None)
        return own if isinstance(own, str) else self.original[self.came - self._waiting :]

    def feed(self, text: str) -> str:
        """Takes the next piece and returns what may leave now.

        Raises:
            DefenseError: the defense failed, and the policy says that the response fails then.
        """
        self._original.append(text)
        self.came += len(text)
        if self.failed:
            return self._after_failure(text)
        try:
            if self._editor is None:
                self._editor = self._guard.defense.begin(self._guard.trace_key)
            out = self._editor.feed(text)
        except Exception as error:
            return self._fail(error, text)
        self._guarded.append(out)
        self.left += len(out)
        if out:
            self._waiting = 0
            self._end_wait()
            return out
        self._waiting += len(text)
        if not self._since:
            self._since = time.monotonic()
        if self._waiting > self._guard.hold_bytes:
            return self._fail(HeldTooLong("too much text was held back"), "")
        return out

    def expire(self) -> None:
        """The text was held for too long: the defense has failed.

        Raises:
            DefenseError: as `feed`.
        """
        self._fail(HeldTooLong("text was held back for too long"), "")

    def _end_wait(self) -> None:
        if self._since:
            self._guard.waited(time.monotonic() - self._since)
            self._since = 0.0

    def close(self) -> str:
        """Ends the text and returns what was held back.

        Raises:
            DefenseError: as `feed`.
        """
        if self.closed:
            return ""
        self.closed = True
        self._end_wait()
        out = "" if self.failed or self._editor is None else self._end(self._editor)
        self._guarded.append(out)
        self.left += len(out)
        self._guard.finished(self)
        return out

    def abandon(self) -> None:
        """The text broke off: what is held never leaves."""
        if not self.closed:
            self.closed = True
            self._guard.finished(self)

    def forget(self) -> None:
        """All that had to be told about the text is told: it goes now, because this object may be part of a cycle."""
        self._original.clear()
        self._guarded.clear()
        self.edits = []

    def _end(self, editor: Editor) -> str:
        try:
            out = editor.close()
        except Exception as error:
            return self._fail(error, "")
        self.edits = list(editor.edits)
        return out

    def _fail(self, error: Exception, text: str) -> str:
        self.failed = True
        self.failure = type(error).__name__
        self._editor = None
        self._end_wait()
        if self._guard.on_failure is OnFailure.FAIL:
            self.abandon()
            if isinstance(error, HeldTooLong):
                raise error
            raise DefenseError(f"the defense failed ({type(error).__name__})") from error
        return self._after_failure(text)

    def _after_failure(self, text: str) -> str:
        if self._guard.on_failure is not OnFailure.PASS:
            return ""
        self._guarded.append(text)
        self.left += len(text)
        return text


def whole(guard: Guard, text: str, field: str = "") -> tuple[str, Lane]:
    """A text that is there as a whole, guarded, and its lane."""
    lane = Lane(guard, field)
    return lane.feed(text) + lane.close(), lane
