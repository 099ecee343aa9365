"""Final objects of the Responses dialect: they repeat the reasoning, so they repeat it as it left, and carry its token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from antidistill.serve.dialects.chunk import Chunk
from antidistill.serve.dialects.shapes import Role
from antidistill.serve.dialects.third_party import is_foreign_seal
from antidistill.serve.guard.context import Context, Seen
from antidistill.serve.guard.flow import whole_text
from antidistill.serve.guard.lane import Lane, whole
from antidistill.serve.guard.parts import Part, Remember
from antidistill.serve.wire.tree import ARRAY, OBJECT, Node, Tree, quoted


def _untold(lane: Lane) -> None:
    """A repetition is not a further text."""


class Finals:
    """Texts of one response that were seen, and the tokens of its items."""

    def __init__(self, context: Context, streamed: bool = True) -> None:
        self._unopened = context.unopened
        self._guard = replace(context.guard, finished=_untold) if streamed else context.guard
        self._known: dict[str, str] = {}
        self._kept: set[str] = set()
        self._tokens: dict[str, str] = {}
        self._answered = 0

    def know(self, original: str, guarded: str) -> None:
        """A text has left."""
        self._known[original] = guarded

    def put(self, chunk: Chunk, marked: bool, may_be_signed: bool) -> None:
        """Replaces the texts of an event by what left of them; those of signed items stay."""
        tree = chunk.tree
        signed = [item for item in _items(tree) if may_be_signed and is_foreign_seal(_seal_of(tree, item))]
        for found in chunk.findings:
            if any(item.start <= found.node.start < item.end for item in signed):
                continue
            if found.role is Role.REASONING:
                text = tree.text(found.node)
                self._replace(tree, found.node, text, self._reasoning(text))
            elif found.role is Role.CONTENT:
                text = tree.text(found.node)
                self._replace(tree, found.node, text, self._content(text, marked))
            elif found.role is Role.SEAL and not tree.is_null(found.node):
                tree.replace(found.node, b"null")

    def count(self, seen: Seen) -> None:
        """Counts the characters of all texts that were not streamed."""
        seen.came += sum(map(len, self._known))
        seen.left += sum(map(len, self._known.values()))
        seen.answered += self._answered

    def _replace(self, tree: Tree, node: Node, text: str, guarded: str) -> None:
        if text != guarded:
            tree.replace(node, quoted(guarded))

    def _reasoning(self, text: str) -> str:
        if text and text not in self._known:
            self._known[text] = whole(self._guard, text, "reasoning")[0]
        return self._known.get(text, "")

    def _content(self, text: str, marked: bool) -> str:
        guarded, lanes = whole_text(self._guard, text, self._unopened, marked)
        for lane in lanes:
            self._known[lane.original] = lane.guarded
        self._answered += len(guarded) - sum(lane.left for lane in lanes)
        return guarded

    def keep(self, chunk: Chunk) -> list[Part]:
        """Parts that have the originals of whole items kept, each once."""
        parts: list[Part] = []
        for item in _items(chunk.tree):
            name = chunk.tree.text(item.get("id"))
            texts = list(_texts(chunk.tree, item))
            if chunk.tree.text(item.get("type")) != "reasoning" or name in self._kept or not texts:
                continue
            self._kept.add(name)
            for number, pieces in enumerate(texts):
                guarded = "".join(self._known.get(piece, "") for piece in pieces)
                took = partial(self._took, name if number == 0 else "")
                parts.append(Remember("".join(pieces), guarded, _seal_of(chunk.tree, item), took))
        return parts

    def _took(self, name: str, token: str) -> bytes:
        if token and name:
            self._tokens[name] = token
        return b""

    def seal(self, chunk: Chunk) -> None:
        """Puts the tokens of items where they belong."""
        for item in _items(chunk.tree):
            token = self._tokens.get(chunk.tree.text(item.get("id")), "")
            if token and chunk.tree.text(item.get("type")) == "reasoning":
                place = item.get("encrypted_content")
                if place is None:
                    chunk.tree.add(item, "encrypted_content", quoted(token))
                else:
                    chunk.tree.replace(place, quoted(token))


def _items(tree: Tree) -> Iterator[Node]:
    """The items in an event or a response."""
    item = tree.root.get("item")
    if item is not None and item.kind is OBJECT:
        yield item
    holder = tree.root.get("response") or tree.root
    output = holder.get("output")
    if output is not None and output.kind is ARRAY:
        yield from (element for _, element in output.members if element.kind is OBJECT)


def _seal_of(tree: Tree, item: Node) -> str:
    return tree.text(item.get("encrypted_content"))


def _texts(tree: Tree, item: Node) -> Iterator[list[str]]:
    """The reasoning of an item: its content, its summary."""
    for name in ("content", "summary"):
        parts = item.get(name)
        if parts is not None and parts.kind is ARRAY:
            pieces = [text for _, part in parts.members if (text := tree.text(part.get("text")))]
            if pieces:
                yield pieces
