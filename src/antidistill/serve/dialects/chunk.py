"""One event of a chat dialect, read: what it holds, and what leaves of it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from antidistill.serve.dialects.shapes import Finding, Role, Shape, find
from antidistill.serve.guard.context import Seen
from antidistill.serve.guard.flow import Piece
from antidistill.serve.policies import Usage
from antidistill.serve.side_channels.usage import recount
from antidistill.serve.wire.sse import Event
from antidistill.serve.wire.tree import Tree, dumps

_EMPTY = frozenset((b'""', b"[]", b"{}", b"null", b"false"))
_MARK = b'"\x00"'


@dataclass(slots=True)
class Chunk:
    """An event as a tree.

    Attributes:
        raw: as it came.
        event: its fields.
        tree: its data.
        findings: what has to be decided on.
        texts: reasoning.
        contents: texts of the answer; one, unless the content is a list.
        answers: it holds a tool call or another part of an answer.
        finishes: it ends the text.
        needed: a client needs it even where its text does not leave.
        names_role: it says whose text it is.
        counts: it holds usage counts.
    """

    raw: bytes
    event: Event
    tree: Tree
    findings: list[Finding]
    texts: list[Finding] = field(default_factory=list)
    contents: list[Finding] = field(default_factory=list)
    answers: bool = False
    finishes: bool = False
    needed: bool = False
    names_role: bool = False
    counts: bool = False

    @property
    def content(self) -> Finding | None:
        """The answer text, if there is a single one that is not empty."""
        full = [found for found in self.contents if found.node.end - found.node.start > 2]
        return full[0] if len(full) == 1 else None

    @property
    def content_text(self) -> str:
        """The answer text; "" where there is none."""
        return self.tree.text(self.content.node) if self.content else ""

    @property
    def ends(self) -> bool:
        """Whether answer text ends or is interrupted here."""
        return self.answers or self.finishes

    @property
    def verbatim(self) -> bool:
        """Whether the bytes leave as they came."""
        return not self.tree.changed and self.event.clean

    def rendered(self) -> bytes:
        """What leaves."""
        return self.raw if self.verbatim else self.event.having(self.tree.render())

    def piece(self, needed: bool) -> Piece:
        """The event for the flow of its answer text."""
        if self.content is None or not self.content_text:
            return Piece(self.rendered(), "", b"", b"")
        node = self.content.node
        token = self.tree.data[node.start : node.end]
        verbatim = self.verbatim
        self.tree.replace(node, _MARK)
        before, _, after = self.event.having(self.tree.render()).partition(_MARK)
        return Piece(self.raw if verbatim else before + token + after, self.content_text, before, after, needed)

    def count(self, mode: Usage, seen: Seen, running: bool = False) -> None:
        """Counts as the policy wants them. Counts while a text is running would tell every cut, so they go."""
        for found in self.findings:
            if found.role is Role.COUNT:
                told = {found.key: self.tree.value(found.node)}
                self._replace(found, told[found.key], (recount(told, mode, seen) or {}).get(found.key))
            elif found.role is Role.USAGE:
                told = self.tree.value(found.node)
                kept = None if running and mode is not Usage.UPSTREAM else recount(told, mode, seen)
                self._replace(found, told, kept)

    def _replace(self, found: Finding, told: Any, kept: Any) -> None:
        if kept != told:
            self.tree.replace(found.node, dumps(kept))


def read_chunk(raw: bytes, event: Event, tree: Tree, shape: Shape, echoes: Container[str] = frozenset()) -> Chunk:
    """Reads an event and drops what the shape does not know."""
    chunk = Chunk(raw, event, tree, find(tree, shape, echoes))
    for found in chunk.findings:
        _note(chunk, found, tree.data[found.node.start : found.node.end])
    return chunk


def _note(chunk: Chunk, found: Finding, value: bytes) -> None:
    role = found.role
    if role is Role.NO_LOGPROBS:
        chunk.tree.replace(found.node, b"null")
    elif role is Role.NO_LIST:
        if value not in _EMPTY:
            chunk.tree.replace(found.node, b"[]")
    elif role is Role.CONTENT:
        chunk.contents.append(found)
    elif value in _EMPTY:
        return
    elif role is Role.REASONING:
        chunk.texts.append(found)
    elif role is Role.ANSWER:
        chunk.answers = True
    elif role is Role.FINISH:
        chunk.finishes = True
    elif role is Role.ROLE:
        chunk.names_role = True
    elif role in {Role.USAGE, Role.COUNT}:
        chunk.needed = chunk.counts = True


def envelope(tree: Tree, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields that every event of a response repeats."""
    return {name: tree.value(node) for name in names if (node := tree.root.get(name)) is not None}
