"""Messages as a stream: a block is what a choice is in chat completions, with a signature behind its reasoning."""

from __future__ import annotations

from typing import Any

from antidistill.serve.dialects.blocks import BlockStream
from antidistill.serve.dialects.chunk import Chunk, read_chunk
from antidistill.serve.dialects.details import is_engine_seal
from antidistill.serve.dialects.messages_fields import EVENTS
from antidistill.serve.dialects.shapes import Role
from antidistill.serve.dialects.third_party import is_foreign_seal, may_be_signed
from antidistill.serve.guard.context import Context
from antidistill.serve.guard.parts import Part, Remember
from antidistill.serve.wire import sse
from antidistill.serve.wire.sse import Event
from antidistill.serve.wire.tree import Node, Tree, dumps, quoted


class MessagesStream(BlockStream):
    """Guards a stream of Messages events."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._may_be_signed = False
        self._unsure: dict[int, list[tuple[bytes, Event]]] = {}
        self._signed: set[int] = set()
        self._waiting = 0

    def _chunk(self, raw: bytes, event: Event, out: list[Part]) -> None:
        tree = self._tree(event.data or b"")
        kind = tree.text(tree.root.get("type"))
        if kind not in EVENTS:
            return
        if self._may_be_signed and kind.startswith("content_block"):
            self._perhaps_signed(raw, event, tree, kind, out)
        else:
            self._known(raw, event, tree, kind, out)

    def held(self) -> dict[Any, object]:
        """Also a block whose signature is waited for."""
        return super().held() | ({} if self.ended else dict.fromkeys(self._unsure))

    def _expire(self, holder: Any, out: list[Part]) -> None:
        if isinstance(holder, int):
            self._decide(holder, "", out)
        else:
            super()._expire(holder, out)

    def _perhaps_signed(self, raw: bytes, event: Event, tree: Tree, kind: str, out: list[Part]) -> None:
        """Events of a thinking block of a model whose owner may have signed it: they wait for the signature."""
        index = _number(tree)
        if kind == "content_block_start":
            block = tree.root.get("content_block")
            if tree.text(block.get("type") if block else None) == "thinking":
                self._unsure[index] = []
        if index in self._unsure:
            self._unsure[index].append((raw, event))
            seal = _signature(tree)
            self._waiting += len(raw)
            if seal or kind == "content_block_stop" or self._waiting > self.context.guard.undecided_bytes:
                self._decide(index, seal, out)
            return
        self._known(raw, event, tree, kind, out)

    def _decide(self, index: int, seal: str, out: list[Part]) -> None:
        """Lets go of the events of a block: as they are if its owner has signed it, else guarded."""
        if is_foreign_seal(seal):
            self._signed.add(index)
        self._waiting = 0
        for raw, event in self._unsure.pop(index):
            tree = self._tree(event.data or b"")
            self._known(raw, event, tree, tree.text(tree.root.get("type")), out)

    def _known(self, raw: bytes, event: Event, tree: Tree, kind: str, out: list[Part]) -> None:
        if kind == "message_start":
            message = tree.root.get("message")
            self._may_be_signed = may_be_signed(tree.text(message.get("model") if message else None))
        index = _number(tree)
        if index in self._signed and kind.startswith("content_block"):
            out.append(raw)
            return
        chunk = read_chunk(raw, event, tree, EVENTS[kind], self.context.echoes)
        error = next((found.node for found in chunk.findings if found.role is Role.ERROR), None)
        if error is not None:
            self._tell_error(b'{"error":' + tree.data[error.start : error.end] + b"}", out)
        elif kind.startswith("content_block"):
            self._block(chunk, index, kind, out)
        else:
            if kind == "message_stop":
                self._end(out)
            self._without_choice(chunk, out)
        self.complete = kind == "message_stop"

    def _block(self, chunk: Chunk, index: int, kind: str, out: list[Part]) -> None:
        seal = next((found.node for found in chunk.findings if found.role is Role.SEAL), None)
        if kind == "content_block_delta" and seal is not None:
            self._signature(chunk, seal, index, out)
            return
        if kind == "content_block_start":
            chunk.needed = True
            if seal is not None and self._may_be_signed and is_foreign_seal(chunk.tree.text(seal)):
                chunk.findings = [found for found in chunk.findings if found.role is not Role.SEAL]
        chunk.finishes = kind == "content_block_stop"
        self._one(chunk, index, out)

    def _signature(self, chunk: Chunk, seal: Node, index: int, out: list[Part]) -> None:
        """The reasoning of a block has ended: what is held leaves, and the original is kept under the signature."""
        choice = self._choice(index)
        self._add_tails(choice, index, {}, out)
        carried = chunk.tree.text(seal)

        def signed(token: str) -> bytes:
            value = token or (carried if is_engine_seal(carried) else "")
            if value != carried:
                chunk.tree.replace(seal, quoted(value))
            return chunk.rendered()

        texts = choice.texts()
        if texts:
            out.append(Remember(texts[0][0], texts[0][1], carried, signed))
        else:
            out.append(signed(""))

    def _alone(self, index: int, fields: dict[str, str]) -> list[bytes]:
        return [self._delta(index, {"type": "thinking_delta", "thinking": text}) for text in fields.values() if text]

    def _bare_content(self, index: int, text: str) -> bytes:
        return self._delta(index, {"type": "text_delta", "text": text})

    def _token(self, index: int, token: str) -> bytes:
        if not token or not self._choices[index].lanes:
            return b""
        return self._delta(index, {"type": "signature_delta", "signature": token})

    def _delta(self, index: int, delta: dict[str, Any]) -> bytes:
        return sse.encode(dumps({"type": "content_block_delta", "index": index, "delta": delta}), "content_block_delta")

    def _error(self, error: dict[str, Any]) -> bytes:
        told = {"type": "api_error", "message": error["message"]}
        return sse.encode(dumps({"type": "error", "error": told}), "error")


def _number(tree: Tree) -> int:
    index = tree.value(tree.root.get("index"))
    return index if type(index) is int else 0


def _signature(tree: Tree) -> str:
    delta = tree.root.get("delta")
    return tree.text(delta.get("signature")) if delta is not None else ""
