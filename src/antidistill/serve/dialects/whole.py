"""What guarded bodies that do not stream share."""

from __future__ import annotations

from antidistill.errors import UpstreamGarbage
from antidistill.serve.guard.context import Context, Seen
from antidistill.serve.guard.parts import Remember
from antidistill.serve.wire.tree import OBJECT, Tree


class WholeBody:
    """A guarded body.

    Attributes:
        tree: the body with its changes.
        remembers: originals to be kept; each is to be rendered with its token before the body is.
        seen: characters.
        marked: reasoning came in a field of its own.
    """

    def __init__(self, context: Context, data: bytes) -> None:
        self.context = context
        self.tree = Tree(data)
        if self.tree.root.kind is not OBJECT:
            raise UpstreamGarbage("a body that is not a JSON object")
        self.remembers: list[Remember] = []
        self.seen = Seen()
        self.marked = False

    def render(self) -> bytes:
        """The guarded body; untouched parts keep their bytes."""
        return self.tree.render()
