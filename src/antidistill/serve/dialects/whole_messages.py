"""Messages that do not stream."""

from __future__ import annotations

from functools import partial

from antidistill.serve.dialects.chunk import read_chunk
from antidistill.serve.dialects.details import is_engine_seal
from antidistill.serve.dialects.messages_fields import MESSAGE
from antidistill.serve.dialects.shapes import Finding, Role
from antidistill.serve.dialects.third_party import is_foreign_seal, may_be_signed
from antidistill.serve.dialects.whole import WholeBody
from antidistill.serve.guard.context import Context
from antidistill.serve.guard.parts import Remember
from antidistill.serve.wire.sse import Event
from antidistill.serve.wire.tree import Node, quoted


class WholeMessages(WholeBody):
    """Guards the body of a message."""

    def __init__(self, context: Context, data: bytes) -> None:
        """Guards `data`.

        Raises:
            UpstreamGarbage: not a JSON object.
            DefenseError: the defense failed, and the policy says that the response fails then.
        """
        super().__init__(context, data)
        chunk = read_chunk(data, Event(data, b"", b"", 1, True), self.tree, MESSAGE, context.echoes)
        signs = may_be_signed(self.tree.text(self.tree.root.get("model")))
        for found in chunk.findings:
            if found.role is Role.REASONING:
                self._thinking(found, signs)
            elif found.role is Role.CONTENT:
                self.guard_content(found.node)
            elif found.role is Role.SEAL:
                self._seal(found, signs)
        chunk.count(context.usage, self.seen)

    def _is_signed(self, block: Node, signs: bool) -> bool:
        seal = self.tree.text(block.get("signature") or block.get("data"))
        return signs and is_foreign_seal(seal)

    def _thinking(self, found: Finding, signs: bool) -> None:
        if self._is_signed(found.parent, signs):
            return
        original = self.tree.text(found.node)
        guarded = self.guard_text(original, "thinking")
        self.marked = self.marked or bool(original.strip())
        if guarded != original:
            self.tree.replace(found.node, quoted(guarded))
        signature = found.parent.get("signature")
        carried = self.tree.text(signature)
        self.remembers.append(Remember(original, guarded, carried, partial(self._sign, found.parent, signature)))

    def _sign(self, block: Node, signature: Node | None, token: str) -> bytes:
        if token and signature is not None:
            self.tree.replace(signature, quoted(token))
        elif token:
            self.tree.add(block, "signature", quoted(token))
        return b""

    def _seal(self, found: Finding, signs: bool) -> None:
        if not self._is_signed(found.parent, signs) and not is_engine_seal(self.tree.text(found.node)):
            self.tree.replace(found.node, b'""')
