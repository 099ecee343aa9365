"""JSON as a tree of places in its bytes: parts can be replaced or dropped, and all others keep the bytes that they came in.

Numbers, escapes, order of keys and capitals in hexadecimal digits stay as an engine wrote them, because nothing is written anew.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from antidistill.errors import UpstreamGarbage

_TOKEN = re.compile(rb'[{}\[\]]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}\[\],:"]+', re.S)
OBJECT, ARRAY, STRING, OTHER = "object", "array", "string", "other"
STRING_BODY = re.compile(rb'[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*')
"""What may stand between the quotes of a JSON string."""


class Node:
    """A value and where it stands: `data[start:end]`; `members` are (key, node), with "" as key in an array."""

    __slots__ = ("end", "kind", "members", "start")

    def __init__(self, kind: str, start: int, end: int) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.members: list[tuple[str, Node]] = []

    def get(self, key: str) -> Node | None:
        """The last member of this name, as JSON readers take it."""
        return next((node for name, node in reversed(self.members) if name == key), None)


class Tree:
    """A JSON text with its changes."""

    __slots__ = ("_added", "_changes", "data", "root")

    def __init__(self, data: bytes) -> None:
        """Reads `data`.

        Raises:
            UpstreamGarbage: not JSON.
        """
        loads(data)
        self.data = data
        self.root = _parse(data)
        self._changes: dict[int, bytes | None] = {}
        self._added: dict[int, list[bytes]] = {}

    @property
    def changed(self) -> bool:
        """Whether anything was replaced, dropped or added."""
        return bool(self._changes or self._added)

    def value(self, node: Node | None) -> Any:
        """The value of a node as Python has it; None where there is no node."""
        return None if node is None else loads(self.data[node.start : node.end])

    def text(self, node: Node | None) -> str:
        """The string at a node; "" where there is none."""
        if node is None or node.kind is not STRING:
            return ""
        return string(self.data[node.start + 1 : node.end - 1])

    def is_null(self, node: Node) -> bool:
        """Whether a node says null."""
        return self.data[node.start : node.end] == b"null"

    def replace(self, node: Node, value: bytes) -> None:
        """Puts other bytes where a node stands."""
        self._changes[node.start] = value

    def drop(self, node: Node) -> None:
        """Takes a member, with its key, or an element out."""
        self._changes[node.start] = None

    def add(self, node: Node, key: str, value: bytes) -> None:
        """Adds a member to an object, or, with the key "", an element to an array."""
        self._added.setdefault(node.start, []).append(quoted(key) + b":" + value if key else value)

    def render(self) -> bytes:
        """The text with its changes."""
        if not self.changed:
            return self.data
        places = sorted({*self._changes, *self._added})
        return self._render(self.root, places)

    def _render(self, node: Node, places: list[int]) -> bytes:
        change = self._changes.get(node.start, b"")
        if change:
            return change
        if not node.members and node.start not in self._added:
            return self.data[node.start : node.end]
        if not any(node.start <= place < node.end for place in places):
            return self.data[node.start : node.end]
        parts = [
            (json.dumps(key).encode() + b":" if node.kind is OBJECT else b"") + self._render(child, places)
            for key, child in node.members
            if self._changes.get(child.start, b"") is not None
        ]
        parts += self._added.get(node.start, ())
        return (b"{%b}" if node.kind is OBJECT else b"[%b]") % b",".join(parts)


def _parse(data: bytes) -> Node:
    top = Node(ARRAY, 0, len(data))
    open_nodes = [top]
    key: str | None = None
    for match in _TOKEN.finditer(data):
        start, end = match.span()
        first = data[start]
        parent = open_nodes[-1]
        if first in b"}]":
            open_nodes.pop().end = end
            continue
        if first == 0x22 and parent.kind is OBJECT and key is None:
            key = string(data[start + 1 : end - 1])
            continue
        node = Node(_KINDS.get(first, OTHER), start, end)
        parent.members.append((key or "", node))
        key = None
        if first in b"{[":
            open_nodes.append(node)
    return top.members[0][1]


_KINDS = {0x7B: OBJECT, 0x5B: ARRAY, 0x22: STRING}


_LONG_NUMBER = re.compile(rb"\d{19}")


def loads(data: bytes, exact: bool = False) -> Any:
    """A JSON value; half surrogates and NaN are read as most engines' languages read them.

    Args:
        data: JSON text.
        exact: integers of any length are read as what they are; else those beyond 64 bits may become floats.

    Raises:
        UpstreamGarbage: not JSON.
    """
    if not (exact and _LONG_NUMBER.search(data)):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UpstreamGarbage("text that is not JSON") from error


def string(body: bytes) -> str:
    """The text of a JSON string from what stands between its quotes."""
    if b"\\" not in body:
        return body.decode()
    return str(loads(b'"' + body + b'"'))


def quoted(text: str) -> bytes:
    """A text as a JSON string, quotes included."""
    try:
        return orjson.dumps(text)
    except TypeError:  # half a surrogate
        return json.dumps(text).encode()


def dumps(value: Any) -> bytes:
    """A value as JSON without blanks."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
