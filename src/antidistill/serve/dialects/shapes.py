"""The language in which dialects are written: what each known field of an event is. Everything else is dropped.

A field of the wrong kind is dropped too, so that nothing hides in a place that is only looked at as a number or a name. A field
that says null stays: it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from antidistill.serve.side_channels.echoes import strings_in
from antidistill.serve.wire.tree import ARRAY, OBJECT, OTHER, STRING, Node, Tree

_WORD = re.compile(
    r"(?:[A-Za-z0-9_:/@+=#~<>|-]|[.](?=[A-Za-z0-9_/]))*|[A-Z0-9][A-Za-z0-9+.-]{0,24}(?: [A-Z0-9(][A-Za-z0-9+.()-]{0,24}){1,3}"
)
"""An id or a word, or a title of at most four words that begin with capitals. No sentence of more than a word fits."""
_LONGEST_WORD = 300
_NUMBER = re.compile(rb"[-+.0-9A-Za-z]{1,24}")


class Role(Enum):
    """What a field is."""

    NAME = auto()  # a number, a word, an id, or a string of the request
    ROLE = auto()  # the same, and a client needs the first one: the event that holds it is not dropped
    KEEP = auto()  # passes as it is
    ECHO = auto()  # repeats what was asked: passes if each string in it is a word, or stands in the request
    REASONING = auto()
    CONTENT = auto()  # answer text, unless delimiters in it mark reasoning
    ANSWER = auto()  # passes as it is; what is held of the reasoning leaves before it
    FINISH = auto()  # where it is not null, the text has ended
    USAGE = auto()
    COUNT = auto()  # a single number of tokens
    NO_LOGPROBS = auto()  # tokens and their probabilities: emptied
    NO_LIST = auto()  # the same, where an empty list has to stay
    ERROR = auto()
    SEAL = auto()  # opaque text of the engine or its owner


@dataclass(frozen=True, slots=True)
class Each:
    """An array; with `by`, each element has a scope of its own, named by this number in it."""

    shape: Shape
    by: str = ""


@dataclass(frozen=True, slots=True)
class ByType:
    """An object whose `type` says what it is; an unknown type is dropped. `scope` as in `Each`."""

    types: Mapping[str, Shape]
    otherwise: Shape | None = None


Shape = Role | Mapping[str, "Shape"] | Each | ByType


class Finding(NamedTuple):
    """A field that somebody has to decide on.

    Attributes:
        role: what it is.
        key: its name.
        node: where it is.
        scope: number of the element that it is in (of `choices`, for instance).
        parent: the object that it is a member of.
    """

    role: Role
    key: str
    node: Node
    scope: int
    parent: Node


def find(tree: Tree, shape: Shape, echoes: Container[str] = frozenset()) -> list[Finding]:
    """The fields of an event that are more than names; drops what the shape does not know.

    Args:
        tree: of the event.
        shape: what is known.
        echoes: strings that the event may repeat.
    """
    findings: list[Finding] = []
    _Walk(tree, findings, echoes).value("", tree.root, shape, 0, tree.root)
    return findings


class _Walk:
    def __init__(self, tree: Tree, findings: list[Finding], echoes: Container[str]) -> None:
        self.tree = tree
        self.findings = findings
        self._echoes = echoes

    def value(self, key: str, node: Node, shape: Shape, scope: int, parent: Node) -> None:
        if isinstance(shape, Role):
            self._leaf(key, node, shape, scope, parent)
        elif self.tree.is_null(node):
            return
        elif isinstance(shape, Each):
            self._array(key, node, shape, scope)
        elif node.kind is not OBJECT:
            self.tree.drop(node)
        elif isinstance(shape, ByType):
            self._typed(node, shape, scope)
        else:
            self._object(node, shape, scope)

    def _leaf(self, key: str, node: Node, role: Role, scope: int, parent: Node) -> None:
        if self.tree.is_null(node) or role is Role.KEEP:
            return
        if (role in _SCALARS and not self._is_name(node)) or (role is Role.ECHO and not self._echoes_request(node)):
            self.tree.drop(node)
        elif role is Role.REASONING and node.kind is ARRAY:
            self.value(key, node, _TEXTS, scope, parent)
        elif role is Role.CONTENT and node.kind is ARRAY:
            self.value(key, node, Each(PART), scope, parent)
        elif role in _STRINGS and node.kind is not STRING:
            self.tree.drop(node)
        elif role not in {Role.NAME, Role.ECHO}:
            self.findings.append(Finding(role, key, node, scope, parent))

    def _is_name(self, node: Node) -> bool:
        if node.kind is STRING:
            return self._is_word(self.tree.text(node))
        return node.kind is OTHER and _NUMBER.fullmatch(self.tree.data, node.start, node.end) is not None

    def _is_word(self, text: str) -> bool:
        return (len(text) <= _LONGEST_WORD and _WORD.fullmatch(text) is not None) or text in self._echoes

    def _echoes_request(self, node: Node) -> bool:
        return all(map(self._is_word, strings_in(self.tree.value(node))))

    def _object(self, node: Node, shape: Mapping[str, Shape], scope: int) -> None:
        last = dict(node.members)
        for key, member in node.members:
            inner = shape.get(key)
            if last[key] is not member:  # a name given twice: readers take the last one
                self.tree.drop(member)
            elif inner is not None:
                self.value(key, member, inner, scope, node)
            elif not self.tree.is_null(member):
                self.tree.drop(member)

    def _typed(self, node: Node, shape: ByType, scope: int) -> None:
        inner = shape.types.get(self.tree.text(node.get("type")), shape.otherwise)
        if inner is None:
            self.tree.drop(node)
        else:
            self.value("", node, inner, scope, node)

    def _array(self, key: str, node: Node, shape: Each, scope: int) -> None:
        if node.kind is not ARRAY:
            self.tree.drop(node)
            return
        for place, (_, element) in enumerate(node.members):
            inner = scope
            if shape.by:
                number = self.tree.value(element.get(shape.by))
                inner = number if type(number) is int else place
            self.value(key, element, shape.shape, inner, node)


_SCALARS = frozenset((Role.NAME, Role.ROLE, Role.FINISH, Role.COUNT))
_STRINGS = frozenset((Role.REASONING, Role.CONTENT, Role.SEAL))
_TEXTS = Each(ByType({"text": {"type": Role.NAME, "text": Role.REASONING}}))
"""Reasoning in a list of texts (Mistral)."""
PART = ByType(
    {
        "text": {"type": Role.NAME, "text": Role.CONTENT, "annotations": Role.KEEP},
        "output_text": {"type": Role.NAME, "text": Role.CONTENT, "annotations": Role.KEEP},
        "refusal": {"type": Role.NAME, "refusal": Role.ANSWER},
        **{
            kind: {"type": Role.NAME, kind: Role.ANSWER}
            for kind in ("image_url", "document_url", "input_audio", "file")
        },
        "reference": {"type": Role.NAME, "reference_ids": Role.ANSWER},
        "thinking": {"type": Role.NAME, "thinking": Role.REASONING, "signature": Role.SEAL, "closed": Role.NAME},
        "reasoning": {"type": Role.NAME, "text": Role.REASONING, "reasoning": Role.REASONING},
    }
)
"""An item of content that is a list (Mistral, LiteLLM)."""
