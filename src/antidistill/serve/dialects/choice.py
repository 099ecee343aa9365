"""One choice of a chat response, or one message: its reasoning fields, and its answer text that may hold more of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from antidistill.serve.guard.context import Context, Seen
from antidistill.serve.guard.flow import Flow
from antidistill.serve.guard.lane import Lane
from antidistill.serve.guard.parts import Part, Remember
from antidistill.serve.policies import Unopened

Holder = Lane | Flow
"""What holds text back."""


class Choice:
    """State of one choice.

    Args:
        context: how the response is treated.
        seen: where characters are counted.

    Attributes:
        lanes: open or closed, by field.
        flow: of the answer text; None before the first of it.
        signed: a third party has signed the reasoning: it passes as it is.
        named: a client knows whose text it is.
        finished: the engine said that the choice has ended.
    """

    __slots__ = ("_context", "_done", "_seen", "finished", "flow", "lanes", "marked", "named", "resumed", "signed")

    def __init__(self, context: Context, seen: Seen) -> None:
        self._context, self._seen = context, seen
        self.lanes: dict[str, Lane] = {}
        self.flow: Flow | None = None
        self.signed = self.finished = self.marked = self.resumed = self.named = False
        self._done: list[Lane] = []

    def reason(self, field: str, text: str) -> str:
        """Takes reasoning that came in a field, and returns what may leave of it."""
        if text.strip():
            self.marked = True
        lane = self.lanes.get(field)
        if lane is None or lane.closed:
            lane = self.lanes[field] = Lane(self._context.guard, field)
        out = lane.feed(text)
        self._seen.came += len(text)
        self._seen.left += len(out)
        return out

    @property
    def reasons(self) -> bool:
        """Whether reasoning may be held."""
        return any(not lane.closed for lane in self.lanes.values())

    def held(self) -> Iterator[tuple[Holder, object]]:
        """Who holds text back, and a mark that changes when some of it is decided. White space alone is not held."""
        lanes = [*self.lanes.values(), self.flow.lane if self.flow else None]
        for lane in filter(None, lanes):
            if (held := lane.held).strip():
                yield lane, lane.came - len(held)
        if self.flow is not None and (waits := self.flow.undecided):
            yield self.flow, waits

    def tails(self) -> dict[str, str]:
        """Closes the reasoning in fields, because an answer begins; what was held of it, by field."""
        tails: dict[str, str] = {}
        for field, lane in self.lanes.items():
            if not lane.closed:
                tail = lane.close()
                self._seen.left += len(tail)
                self._done.append(lane)
                if tail:
                    tails[field] = tail
        return tails

    def answer_flow(self, bare: Callable[[str], bytes]) -> Flow:
        """The flow of the answer text."""
        if self.flow is None:
            unopened = Unopened.ANSWER if self.resumed else self._context.unopened
            self.flow = Flow(self._context.guard, unopened, self.marked, bare, self._ended, self._context.paced)
        return self.flow

    def end_flow(self) -> None:
        """The answer text has ended, or was interrupted by a tool call; what follows is answer again."""
        self.resumed = self.resumed or self.flow is not None
        self.flow = None

    def abandon(self) -> None:
        """The stream broke off."""
        for lane in self.lanes.values():
            lane.abandon()
        if self.flow is not None:
            self.flow.abandon()

    def texts(self) -> list[tuple[str, str]]:
        """Original and guarded text of all reasoning that has ended since the last call, each distinct text once."""
        lanes, self._done = self._done, []
        distinct = dict.fromkeys((lane.field, lane.original, lane.guarded) for lane in lanes)
        return list(dict.fromkeys((original, guarded) for _, original, guarded in _joined(distinct) if original))

    def remembered(self, token_event: Callable[[str], bytes]) -> list[Part]:
        """What is to be kept of this choice."""
        return [Remember(original, guarded, "", token_event) for original, guarded in self.texts()]

    def _ended(self, lane: Lane) -> None:
        self._seen.came += lane.came
        self._seen.left += lane.left
        self._done.append(lane)


def _joined(texts: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Texts of the same field joined, as clients join the deltas of a field; delimited blocks stay apart."""
    joined: dict[str, tuple[str, str, str]] = {}
    apart: list[tuple[str, str, str]] = []
    for field, original, guarded in texts:
        if field == "content":
            apart.append((field, original, guarded))
        else:
            _, before, before_guarded = joined.get(field, (field, "", ""))
            joined[field] = (field, before + original, before_guarded + guarded)
    return [*joined.values(), *apart]
