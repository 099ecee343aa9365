"""Responses as a stream: every event is numbered, and final objects repeat what was streamed."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from antidistill.serve.dialects.blocks import BlockStream
from antidistill.serve.dialects.choice import Choice
from antidistill.serve.dialects.chunk import Chunk, read_chunk
from antidistill.serve.dialects.finals import Finals
from antidistill.serve.dialects.responses_fields import EVENTS, IN_REASONING, LAST
from antidistill.serve.dialects.shapes import Role
from antidistill.serve.dialects.template import Template
from antidistill.serve.dialects.third_party import is_foreign_seal, may_be_signed
from antidistill.serve.guard.context import Context
from antidistill.serve.guard.parts import Later, Paced, Part
from antidistill.serve.wire import sse
from antidistill.serve.wire.sse import Event
from antidistill.serve.wire.tree import Tree, dumps

_NUMBER = re.compile(rb'(?<!\\)"sequence_number"\s*:\s*(\d+)')
_DELTA_OF = {"summary_index": "response.reasoning_summary_text.delta", "content_index": "response.reasoning_text.delta"}


class ResponsesStream(BlockStream):
    """Guards a stream of Responses events. Where events are held, later ones get other numbers, so that no gap tells."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._places: dict[tuple[str, str, int], int] = {}
        self._output: dict[int, int] = {}
        self._sent: int | None = None
        self._may_be_signed = False
        self._signed: set[str] = set()
        self._unsure: list[tuple[bytes, Event]] = []
        self._unsure_item = ""
        self._waiting = 0
        self._finals = Finals(context)
        self._reasoning_items: set[str | int | None] = set()

    def _chunk(self, raw: bytes, event: Event, out: list[Part]) -> None:
        tree = self._tree(event.data or b"")
        kind = tree.text(tree.root.get("type"))
        if kind not in EVENTS:
            return
        if self._sent is None:
            self._sent = _number(tree, "sequence_number") or 0
        own: list[Part] = []
        if not self._perhaps_signed(raw, event, tree, kind, own):
            self._known(raw, event, tree, kind, own)
        out += own

    def held(self) -> dict[Any, object]:
        """Also an item whose seal is waited for."""
        return super().held() | ({self._unsure_item: 0} if self._unsure_item and not self.ended else {})

    def _expire(self, holder: Any, out: list[Part]) -> None:
        if isinstance(holder, str):
            self._decide(False, out)
        else:
            own: list[Part] = []
            super()._expire(holder, own)
            out += map(self._in_order, own)

    def _perhaps_signed(self, raw: bytes, event: Event, tree: Tree, kind: str, out: list[Part]) -> bool:
        """Events of a reasoning item of a model whose owner may have signed it wait for the seal; True if this one does."""
        item = tree.root.get("item")
        sealed = is_foreign_seal(tree.text(item.get("encrypted_content") if item else None))
        if kind == "response.output_item.added" and self._may_be_signed and item is not None:
            name = tree.text(item.get("id"))
            if tree.text(item.get("type")) == "reasoning" and sealed:
                self._signed.add(name)
            elif tree.text(item.get("type")) == "reasoning":
                self._unsure_item = name
        if not self._unsure_item:
            return False
        self._unsure.append((raw, event))
        last = (
            kind == "response.output_item.done" and item is not None and tree.text(item.get("id")) == self._unsure_item
        )
        self._waiting += len(raw)
        if last or kind in LAST or self._waiting > self.context.guard.undecided_bytes:
            self._decide(sealed and last, out)
        return True

    def _decide(self, signed: bool, out: list[Part]) -> None:
        """Lets go of the events of an item: as they are if its owner has sealed it, else guarded."""
        if signed:
            self._signed.add(self._unsure_item)
        self._unsure_item, waiting, self._unsure, self._waiting = "", self._unsure, [], 0
        for raw, event in waiting:
            tree = self._tree(event.data or b"")
            self._known(raw, event, tree, tree.text(tree.root.get("type")), out)

    def _known(self, raw: bytes, event: Event, tree: Tree, kind: str, out: list[Part]) -> None:
        response = tree.root.get("response")
        if response is not None:
            self._may_be_signed = may_be_signed(tree.text(response.get("model")))
        self._note_reasoning_item(tree)
        in_reasoning = kind in IN_REASONING and self._speaks_of_reasoning(tree)
        shape = IN_REASONING[kind] if in_reasoning else EVENTS[kind]
        chunk = read_chunk(raw, event, tree, shape, self.context.echoes)
        if kind == "error":
            self._tell_error(b'{"error":' + tree.data + b"}", out)
        elif self._is_signed(tree):
            out.append(self._in_order(raw))
        elif kind.endswith(".delta"):
            self._streamed(chunk, out)
        else:
            self._told(chunk, kind, out)
        self.complete = kind in LAST

    def _note_reasoning_item(self, tree: Tree) -> None:
        """Remembers the name and the place of an item of reasoning."""
        item = tree.root.get("item")
        if item is not None and tree.text(item.get("type")) == "reasoning":
            self._reasoning_items |= {tree.text(item.get("id")), _number(tree, "output_index")}
            self._reasoning_items -= {"", None}

    def _speaks_of_reasoning(self, tree: Tree) -> bool:
        return not self._reasoning_items.isdisjoint(
            (tree.text(tree.root.get("item_id")), _number(tree, "output_index"))
        )

    def _is_signed(self, tree: Tree) -> bool:
        item = tree.root.get("item")
        names = {tree.text(tree.root.get("item_id")), tree.text(item.get("id") if item else None)}
        return bool(names & self._signed)

    def _learned(self, chunk: Chunk, choice: Choice) -> list[Template]:
        """None: every event has another number."""
        return []

    def _streamed(self, chunk: Chunk, out: list[Part]) -> None:
        """A delta."""
        own: list[Part] = []
        self._one(chunk, self._scope(chunk.tree), own)
        out += map(self._in_order, own)

    def _told(self, chunk: Chunk, kind: str, out: list[Part]) -> None:
        """An event that repeats what was streamed, or tells how far the response is."""
        held: list[Part] = []
        if kind in LAST:
            self._end(held)
        elif kind.endswith(".done"):
            self._end_place(chunk.tree, held)
        out += [self._in_order(part) for part in held if part]
        for found in chunk.findings:
            if found.role is Role.ERROR:
                chunk.tree.replace(found.node, dumps({"code": "server_error", "message": "the engine failed."}))
        self._finals.put(chunk, self.marked, self._may_be_signed)
        chunk.count(self.context.usage, self.seen, running=kind not in LAST)
        out += self._finals.keep(chunk)
        out.append(Later(partial(self._render, chunk)))

    def _render(self, chunk: Chunk) -> bytes:
        self._finals.seal(chunk)
        return _with_number(chunk.rendered(), self._next())

    def _end_place(self, tree: Tree, out: list[Part]) -> None:
        """The text that an event speaks of has ended."""
        item = tree.root.get("item")
        name = tree.text(tree.root.get("item_id")) or tree.text(item.get("id") if item else None)
        for (own, _, _), scope in self._places.items():
            if own == name:
                self._end_scope(scope, self._choice(scope), out)

    def _end(self, out: list[Part]) -> None:
        for scope, choice in self._choices.items():
            self._end_scope(scope, choice, out)

    def _end_scope(self, scope: int, choice: Choice, out: list[Part]) -> None:
        self._leave_alone(scope, choice.tails(), out)
        if choice.flow is not None:
            out += choice.flow.settle(None, choice.flow.decide_end())
            choice.end_flow()
        for original, guarded in choice.texts():
            self._finals.know(original, guarded)

    def _scope(self, tree: Tree) -> int:
        """The number of the text that an event belongs to."""
        index_name = "summary_index" if tree.root.get("summary_index") is not None else "content_index"
        place = (tree.text(tree.root.get("item_id")), index_name, _number(tree, index_name) or 0)
        scope = self._places.setdefault(place, len(self._places))
        self._output[scope] = _number(tree, "output_index") or 0
        return scope

    def _alone(self, index: int, fields: dict[str, str]) -> list[bytes]:
        place = next(place for place, scope in self._places.items() if scope == index)
        return [self._event_of(_DELTA_OF[place[1]], place, index, text) for text in fields.values() if text]

    def _bare_content(self, index: int, text: str) -> bytes:
        place = next(place for place, scope in self._places.items() if scope == index)
        return self._event_of("response.output_text.delta", place, index, text, logprobs=[])

    def _event_of(self, kind: str, place: tuple[str, str, int], scope: int, text: str, **more: Any) -> bytes:
        at = {"item_id": place[0], "output_index": self._output.get(scope, 0), place[1]: place[2]}
        return sse.encode(dumps({"type": kind, **at, "delta": text, **more, "sequence_number": 0}), kind)

    def _error(self, error: dict[str, Any]) -> bytes:
        told = {"type": "error", "code": error.get("code"), "message": error["message"], "param": None}
        return sse.encode(dumps({**told, "sequence_number": self._next()}), "error")

    def _next(self) -> int:
        number = self._sent or 0
        self._sent = number + 1
        return number

    def _in_order(self, part: Part) -> Part:
        """A part whose events get their numbers when they leave."""
        if isinstance(part, Paced):
            return part._replace(render=lambda fields: [self._numbered(event) for event in part.render(fields)])
        return Later(partial(self._numbered, part)) if isinstance(part, bytes) and part else part

    def _numbered(self, events: bytes) -> bytes:
        return _with_number(events, self._next()) if _NUMBER.search(events) else events


def _number(tree: Tree, name: str) -> int | None:
    value = tree.value(tree.root.get(name))
    return value if type(value) is int else None


def _with_number(event: bytes, number: int) -> bytes:
    match = _NUMBER.search(event)
    if match is None or int(match[1]) == number:
        return event
    return event[: match.start(1)] + str(number).encode() + event[match.end(1) :]
