"""Responses that do not stream."""

from __future__ import annotations

from antidistill.serve.dialects.chunk import read_chunk
from antidistill.serve.dialects.finals import Finals
from antidistill.serve.dialects.responses_fields import RESPONSE
from antidistill.serve.dialects.shapes import Role
from antidistill.serve.dialects.third_party import may_be_signed
from antidistill.serve.dialects.whole import WholeBody
from antidistill.serve.guard.context import Context
from antidistill.serve.guard.parts import Remember
from antidistill.serve.wire.sse import Event
from antidistill.serve.wire.tree import dumps


class WholeResponses(WholeBody):
    """Guards the body of a response."""

    def __init__(self, context: Context, data: bytes) -> None:
        """Guards `data`.

        Raises:
            UpstreamGarbage: not a JSON object.
            DefenseError: the defense failed, and the policy says that the response fails then.
        """
        super().__init__(context, data)
        self._finals = Finals(context, streamed=False)
        self._chunk = read_chunk(data, Event(data, b"", b"", 1, True), self.tree, RESPONSE, context.echoes)
        for found in self._chunk.findings:
            if found.role is Role.ERROR:
                self.tree.replace(found.node, dumps({"code": "server_error", "message": "the engine failed."}))
            elif found.role is Role.REASONING and self.tree.text(found.node).strip():
                self.marked = True
        signs = may_be_signed(self.tree.text(self.tree.root.get("model")))
        self._finals.put(self._chunk, self.marked, signs)
        self._finals.count(self.seen)
        self._chunk.count(context.usage, self.seen)
        self.remembers += [part for part in self._finals.keep(self._chunk) if isinstance(part, Remember)]

    def render(self) -> bytes:
        """The guarded body."""
        self._finals.seal(self._chunk)
        return super().render()
