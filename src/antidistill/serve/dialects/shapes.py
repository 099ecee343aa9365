"""The language in which dialects are written: what each known field of an event is. Everything else is dropped.

A field of the wrong kind is dropped too, so that nothing hides in a place that is only looked at as a number or a name. A field
that says null stays: it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from antidistill.serve.wire.tree import ARRAY, OBJECT, OTHER, STRING, Node, Tree

_SHORT = re.compile(rb'[!-~]{0,300}|"[^\s\\]{1,24}(?: [^\s\\]{1,24}){1,2}"')
"""A name of at most three words, an id or a number; a sentence does not fit."""


class Role(Enum):
    """What a field is."""

    NAME = auto()  # a number, a word, an id: a short scalar
    ROLE = auto()  # the same, and a client needs the first one: the event that holds it is not dropped
    KEEP = auto()  # passes as it is
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


def find(tree: Tree, shape: Shape) -> list[Finding]:
    """The fields of an event that are more than names; drops what the shape does not know."""
    findings: list[Finding] = []
    _Walk(tree, findings).value("", tree.root, shape, 0, tree.root)
    return findings


class _Walk:
    def __init__(self, tree: Tree, findings: list[Finding]) -> None:
        self.tree = tree
        self.findings = findings

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
        if role in _SCALARS and not (
            node.kind in _SCALAR_KINDS and _SHORT.fullmatch(self.tree.data, node.start, node.end)
        ):
            self.tree.drop(node)
        elif role is Role.REASONING and node.kind is ARRAY:
            self.value(key, node, _TEXTS, scope, parent)
        elif role is Role.CONTENT and node.kind is ARRAY:
            self.value(key, node, Each(PART), scope, parent)
        elif role in _STRINGS and node.kind is not STRING:
            self.tree.drop(node)
        elif role is not Role.NAME:
            self.findings.append(Finding(role, key, node, scope, parent))

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
_SCALAR_KINDS = frozenset((STRING, OTHER))
_STRINGS = frozenset((Role.REASONING, Role.CONTENT))
_TEXTS = Each(ByType({"text": {"type": Role.NAME, "text": Role.REASONING}}))
"""Reasoning in a list of texts (Mistral)."""
PART = ByType(
    {
        "text": {"type": Role.NAME, "text": Role.CONTENT, "annotations": Role.KEEP},
        "output_text": {"type": Role.NAME, "text": Role.CONTENT, "annotations": Role.KEEP},
        "refusal": {"type": Role.NAME, "refusal": Role.ANSWER},
        "image_url": {"type": Role.NAME, "image_url": Role.ANSWER},
        "thinking": {"type": Role.NAME, "thinking": Role.REASONING, "signature": Role.SEAL},
        "reasoning": {"type": Role.NAME, "text": Role.REASONING, "reasoning": Role.REASONING},
    }
)
"""An item of content that is a list (Mistral, LiteLLM)."""
