"""Chat completions as a stream: reasoning in fields, in details, or between delimiters in the content, for several choices."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from antidistill.serve.dialects.chat_fields import BLOCKS, CHUNK, CHUNKS, DETAILS, ENVELOPE
from antidistill.serve.dialects.choice import Choice
from antidistill.serve.dialects.chunk import Chunk, envelope, read_chunk
from antidistill.serve.dialects.details import field_of, is_signed, unseal
from antidistill.serve.dialects.shapes import Role, Shape
from antidistill.serve.dialects.stream import GuardedStream
from antidistill.serve.dialects.template import Template, learn
from antidistill.serve.guard.context import Context
from antidistill.serve.guard.flow import Flow, whole_text
from antidistill.serve.guard.parts import Paced, Part
from antidistill.serve.guard.signs import Segment
from antidistill.serve.policies import Unopened
from antidistill.serve.wire import sse
from antidistill.serve.wire.sse import Event
from antidistill.serve.wire.tree import ARRAY, Tree, dumps, quoted

_DONE = b"[DONE]"
_TEMPLATES = 8


class ChatStream(GuardedStream):
    """Guards a stream of chat completion chunks."""

    shape: ClassVar[Shape] = CHUNK
    envelope: ClassVar[tuple[str, ...]] = ENVELOPE

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._choices: dict[int, Choice] = {}
        self._common: dict[str, Any] = {}
        self._templates: list[Template] = []

    def _event(self, raw: bytes, out: list[Part]) -> None:
        for template in self._templates:
            if template.take(raw, out):
                self._usual = template
                return
        event = self._read(raw)
        if event.data is None:
            out.append(raw if event.clean else event.before + event.after)
        elif event.data.strip() == _DONE:
            self._end(out)
            self.complete = True
            out.append(raw if event.clean else event.having(_DONE))
        else:
            self._chunk(raw, event, out)

    def _read(self, raw: bytes) -> Event:
        return sse.read(raw)

    def _chunk(self, raw: bytes, event: Event, out: list[Part]) -> None:
        tree = self._tree(event.data or b"")
        choices = tree.root.get("choices")
        if choices is not None and choices.kind is ARRAY and len(choices.members) > 1:
            self._several(event, len(choices.members), out)
            return
        chunk = read_chunk(raw, event, tree, self.shape, self.context.echoes)
        self._common = self._common or envelope(tree, self.envelope)
        error = next((found.node for found in chunk.findings if found.role is Role.ERROR), None)
        if error is not None:
            self._tell_error(b'{"error":' + tree.data[error.start : error.end] + b"}", out)
            return
        index = self._index(tree)
        if index is None:
            self._without_choice(chunk, out)
        else:
            self._one(chunk, index, out)

    def _several(self, event: Event, count: int, out: list[Part]) -> None:
        """A chunk with several choices leaves as one chunk for each; counts go with the last."""
        for number in range(count):
            tree = self._tree(event.data or b"")
            choices, usage = tree.root.get("choices"), tree.root.get("usage")
            for place, (_, element) in enumerate(choices.members if choices else ()):
                if place != number:
                    tree.drop(element)
            if usage is not None and number < count - 1:
                tree.drop(usage)
            own = event.having(tree.render())
            self._chunk(own, self._read(own), out)

    def _index(self, tree: Tree) -> int | None:
        """Index of the only choice of a chunk; None where it has none."""
        choices = tree.root.get("choices")
        if choices is None or choices.kind is not ARRAY or not choices.members:
            return None
        index = tree.value(choices.members[0][1].get("index"))
        return index if type(index) is int else 0

    def _without_choice(self, chunk: Chunk, out: list[Part]) -> None:
        chunk.count(self.context.usage, self.seen)
        rendered = chunk.rendered()
        if chunk.event.having(b"{}") != rendered:
            out.append(rendered)

    def _choice(self, index: int) -> Choice:
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = Choice(self.context, self.seen)
        return choice

    def _one(self, chunk: Chunk, index: int, out: list[Part]) -> None:
        """Guards an event of one choice."""
        choice = self._choice(index)
        if chunk.names_role and not choice.named:  # later ones would leave as empty events, one for each that was cut
            choice.named = chunk.needed = True
        choice.signed = choice.signed or is_signed(chunk)
        if choice.signed:
            chunk.needed, chunk.texts = True, []
        else:
            unseal(chunk)
        if len(chunk.contents) > 1:
            self._lists(chunk)
        pure = chunk.verbatim and chunk.event.lines == 1 and not chunk.ends
        leaving = self._reason(chunk, choice)
        segments = self._answer(chunk, choice, index)
        if chunk.ends or any(segment.answers for segment in segments):
            self._add_tails(choice, index, leaving, out)
        self._put(chunk, choice, index, leaving, out)
        chunk.count(self.context.usage, self.seen, running=not chunk.finishes)
        self._send(chunk, choice, index, segments, out)
        if chunk.finishes:
            choice.finished = True
        self.complete = all(one.finished for one in self._choices.values())
        if pure and len(self._templates) < _TEMPLATES and not choice.signed:
            self._templates += self._learned(chunk, choice)

    def _learned(self, chunk: Chunk, choice: Choice) -> list[Template]:
        """How events like this one are recognised."""
        return [] if self.context.paced and chunk.texts else learn(chunk, choice, self)

    def _reason(self, chunk: Chunk, choice: Choice) -> dict[str, str]:
        """Feeds the reasoning of an event; what may leave of it, by field."""
        leaving: dict[str, str] = {}
        for found in chunk.texts:
            field = field_of(chunk.tree, found)
            leaving[field] = leaving.get(field, "") + choice.reason(field, chunk.tree.text(found.node))
        self.marked = self.marked or choice.marked
        return leaving

    def _answer(self, chunk: Chunk, choice: Choice, index: int) -> list[Segment]:
        """Feeds the answer text of an event; what that decides."""
        text = chunk.content_text
        segments: list[Segment] = []
        if text:
            segments += choice.answer_flow(partial(self._bare_content, index)).decide(text)
        if chunk.ends and choice.flow is not None:
            segments += choice.flow.decide_end()
        self.seen.answered += sum(len(segment.text) for segment in segments if not segment.reasoning)
        return segments

    def _lists(self, chunk: Chunk) -> None:
        """Several texts in one event: each is guarded by itself, as in a body that does not stream."""
        if chunk.content is not None:
            return
        for found in chunk.contents:
            text = chunk.tree.text(found.node)
            guarded, _ = whole_text(self.context.guard, text, Unopened.ANSWER, beside=False)
            chunk.answers = chunk.answers or guarded != ""
            if guarded != text:
                chunk.tree.replace(found.node, quoted(guarded))

    def _add_tails(self, choice: Choice, index: int, leaving: dict[str, str], out: list[Part]) -> None:
        """What is held of the reasoning leaves before the answer: in this event if it has the field, else in one before it."""
        alone = {}
        for field, tail in choice.tails().items():
            if field in leaving:
                leaving[field] += tail
            else:
                alone[field] = tail
        self._leave_alone(index, alone, out)

    def _put(self, chunk: Chunk, choice: Choice, index: int, leaving: dict[str, str], out: list[Part]) -> None:
        """Puts guarded reasoning where it stood. Paced, or beside text that is not decided, it leaves in an event before."""
        if self.context.paced or (chunk.content_text and choice.flow is not None and not choice.flow.plain):
            self._leave_alone(index, leaving, out)
            leaving = {}
        for found in chunk.texts:
            text = leaving.pop(field_of(chunk.tree, found), "")
            chunk.needed = chunk.needed or text != ""
            if text != chunk.tree.text(found.node):
                chunk.tree.replace(found.node, quoted(text))

    def _send(self, chunk: Chunk, choice: Choice, index: int, segments: list[Segment], out: list[Part]) -> None:
        flow = choice.flow
        needed = chunk.needed or chunk.ends
        if chunk.content_text and flow is not None:
            out += flow.settle(chunk.piece(needed), segments)
        elif flow is not None and flow.waits and not chunk.ends:
            flow.settle(chunk.piece(needed), segments)
        else:
            out += flow.settle(None, segments) if flow is not None else ()
            if chunk.finishes:
                out += choice.remembered(partial(self._token, index))
            if needed or not (chunk.texts or chunk.content_text):
                out.append(chunk.rendered())
        if chunk.ends:
            choice.end_flow()
        if chunk.finishes:
            out += choice.remembered(partial(self._token, index))

    def _end(self, out: list[Part]) -> None:
        for index, choice in self._choices.items():
            self._leave_alone(index, choice.tails(), out)
            if choice.flow is not None:
                out += choice.flow.settle(None, choice.flow.decide_end())
                choice.end_flow()
            out += choice.remembered(partial(self._token, index))

    def held(self) -> dict[Any, object]:
        """Lanes and flows that hold text back."""
        return {} if self.ended else {who: mark for one in self._choices.values() for who, mark in one.held()}

    def _expire(self, holder: Any, out: list[Part]) -> None:
        if isinstance(holder, Flow):
            out += holder.expire()
        else:
            holder.expire()

    def _abandon(self) -> None:
        for choice in self._choices.values():
            choice.abandon()

    def _error(self, error: dict[str, Any]) -> bytes:
        return sse.encode(dumps({"error": error}))

    def _leave_alone(self, index: int, fields: dict[str, str], out: list[Part]) -> None:
        """Reasoning leaves in events that hold nothing else."""
        if self.context.paced and any(fields.values()):
            out.append(Paced(index, fields, partial(self._alone, index)))
        else:
            out += self._alone(index, fields)

    def _alone(self, index: int, fields: dict[str, str]) -> list[bytes]:
        delta: dict[str, Any] = {}
        for field, text in fields.items():
            if text and field == DETAILS:
                delta[field] = [{"type": "reasoning.text", "text": text, "index": 0}]
            elif text and field == BLOCKS:
                delta[field] = [{"type": "thinking", "thinking": text, "signature": ""}]
            elif text and field == CHUNKS:
                delta["content"] = [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]
            elif text:
                delta[field] = text
        return [self._bare(index, delta)] if delta else []

    def _bare_content(self, index: int, text: str) -> bytes:
        return self._bare(index, {"content": text})

    def _token(self, index: int, token: str) -> bytes:
        if not token:
            return b""
        return self._bare(index, {DETAILS: [{"type": "reasoning.encrypted", "data": token, "index": 0}]})

    def _bare(self, index: int, delta: dict[str, Any]) -> bytes:
        """An event that holds these fields of a message and nothing else."""
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}
        return sse.encode(dumps({**self._common, "choices": [choice]}))
