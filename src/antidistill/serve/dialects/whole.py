"""What guarded bodies that do not stream share."""

from __future__ import annotations

from antidistill.errors import UpstreamGarbage
from antidistill.serve.guard.context import Context, Seen
from antidistill.serve.guard.flow import whole_text
from antidistill.serve.guard.lane import whole
from antidistill.serve.guard.parts import Remember
from antidistill.serve.wire.tree import OBJECT, Node, Tree, quoted


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

    def guard_text(self, text: str, field: str) -> str:
        """A reasoning, guarded."""
        guarded, lane = whole(self.context.guard, text, field)
        self.seen.came += lane.came
        self.seen.left += lane.left
        return guarded

    def guard_content(self, node: Node) -> list[tuple[str, str]]:
        """Guards the reasoning between delimiters in an answer text; each original and guarded reasoning of it."""
        text = self.tree.text(node)
        guarded, lanes = whole_text(self.context.guard, text, self.context.unopened, self.marked)
        for lane in lanes:
            self.seen.came += lane.came
            self.seen.left += lane.left
        self.seen.answered += len(guarded) - sum(lane.left for lane in lanes)
        if guarded != text:
            self.tree.replace(node, quoted(guarded))
        texts = [(lane.original, lane.guarded) for lane in lanes]
        self.remembers += [Remember(original, left, "", lambda token: b"") for original, left in texts]
        return texts

    def render(self) -> bytes:
        """The guarded body; untouched parts keep their bytes."""
        return self.tree.render()
