"""Chat completions that do not stream."""

from __future__ import annotations

from functools import partial

from antidistill.serve.dialects.chat_fields import CHUNK, DETAILS
from antidistill.serve.dialects.choice import Choice
from antidistill.serve.dialects.chunk import Chunk, read_chunk
from antidistill.serve.dialects.details import field_of, is_signed, unseal
from antidistill.serve.dialects.shapes import Finding, Role, Shape
from antidistill.serve.dialects.third_party import is_foreign_seal, may_be_signed
from antidistill.serve.dialects.whole import WholeBody
from antidistill.serve.guard.context import Context
from antidistill.serve.guard.flow import whole_text
from antidistill.serve.guard.parts import Remember
from antidistill.serve.wire.sse import Event
from antidistill.serve.wire.tree import Node, dumps, quoted


class WholeChat(WholeBody):
    """Guards the body of a chat completion."""

    shape: Shape = CHUNK

    def __init__(self, context: Context, data: bytes) -> None:
        """Guards `data`.

        Raises:
            UpstreamGarbage: not a JSON object.
            DefenseError: the defense failed, and the policy says that the response fails then.
        """
        super().__init__(context, data)
        chunk = read_chunk(data, Event(data, b"", b"", 1, True), self.tree, self.shape, context.echoes)
        for scope in dict.fromkeys(found.scope for found in chunk.findings):
            own = Chunk(data, chunk.event, self.tree, [f for f in chunk.findings if f.scope == scope])
            own.texts = [f for f in chunk.texts if f.scope == scope]
            own.contents = [f for f in chunk.contents if f.scope == scope]
            self._guard_choice(own)
        chunk.finishes = True
        chunk.count(context.usage, self.seen)

    def _guard_choice(self, chunk: Chunk) -> None:
        if is_signed(chunk) or self._is_sealed(chunk):
            return
        unseal(chunk)
        choice = Choice(self.context, self.seen)
        leaving = self._reason(chunk, choice)
        for found in chunk.texts:
            if leaving[found.node.start] != self.tree.text(found.node):
                self.tree.replace(found.node, quoted(leaving[found.node.start]))
        self.marked = self.marked or choice.marked
        texts = choice.texts()
        for found in chunk.contents:
            text, lanes = whole_text(
                self.context.guard, self.tree.text(found.node), self.context.unopened, choice.marked
            )
            for lane in lanes:
                self.seen.came += lane.came
                self.seen.left += lane.left
                texts.append((lane.original, lane.guarded))
            self.seen.answered += len(text) - sum(lane.left for lane in lanes)
            if text != self.tree.text(found.node):
                self.tree.replace(found.node, quoted(text))
        message = next((f.parent for f in chunk.findings if f.key in {"content", "role", "reasoning_content"}), None)
        for original, guarded in dict.fromkeys(texts):
            self.remembers.append(Remember(original, guarded, "", partial(self._put_token, message)))

    def _reason(self, chunk: Chunk, choice: Choice) -> dict[int, str]:
        """What leaves of each text, by its place; the tail of a field leaves with its last text."""
        leaving: dict[int, str] = {}
        last: dict[str, Finding] = {}
        for found in chunk.texts:
            field = field_of(self.tree, found)
            leaving[found.node.start] = choice.reason(field, self.tree.text(found.node))
            last[field] = found
        for field, tail in choice.tails().items():
            leaving[last[field].node.start] += tail
        return leaving

    def _is_sealed(self, chunk: Chunk) -> bool:
        """Whether typed blocks carry the seal of the owner of the model."""
        seals = [self.tree.text(f.node) for f in chunk.findings if f.role is Role.SEAL]
        return may_be_signed(self.tree.text(self.tree.root.get("model"))) and any(map(is_foreign_seal, seals))

    def _put_token(self, message: Node | None, token: str) -> bytes:
        if token and message is not None:
            item = {"type": "reasoning.encrypted", "data": token, "index": 0}
            details = message.get(DETAILS)
            if details is not None and not self.tree.is_null(details):
                self.tree.add(details, "", dumps(item))
            else:
                self.tree.add(message, DETAILS, dumps([item]))
        return b""
