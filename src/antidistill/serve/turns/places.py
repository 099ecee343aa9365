"""Where a request carries reasoning of earlier turns, in every dialect; recognised by shape, not by route.

| dialect | text | token |
|---|---|---|
| chat messages | `reasoning_content`, `reasoning`, `thinking`, think tags in `content` | as OpenRouter |
| OpenRouter | `reasoning_details[].text`, `.summary` | `reasoning_details[]` of type `reasoning.encrypted` |
| Anthropic, LiteLLM's `thinking_blocks` | blocks `thinking` | their `signature`; `redacted_thinking.data` |
| Responses | items `reasoning`: `content[].text`, `summary[].text` | `encrypted_content` |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from antidistill.text import thinking

_ASSISTANTS = ("assistant", "model")
_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_text")
_BLOCKS = ("content", "thinking_blocks")


@dataclass(slots=True)
class Spot:
    """One text in the request that may be guarded reasoning; `put` replaces it."""

    text: str
    put: Callable[[str], None]


@dataclass(slots=True)
class Seal:
    """One field that may hold a token; `put` gives the engine's own value back, or takes the field away ("")."""

    value: str
    put: Callable[[str], None]


@dataclass(slots=True)
class Reasoning:
    """Reasoning of one earlier turn, or of one block of it.

    Attributes:
        put_bare: where an original goes if the client kept the token only.
        texts: its texts; usually one, or the same text in several fields. A text may stand there in pieces.
        seals: fields that may hold its token.
    """

    put_bare: Callable[[str], None]
    texts: list[list[Spot]] = field(default_factory=list)
    seals: list[Seal] = field(default_factory=list)


def find(body: Mapping[str, Any]) -> Iterator[Reasoning]:
    """All reasoning of earlier turns in the body of a request, in order."""
    for name in ("messages", "input"):
        turns = body.get(name)
        for turn in turns if isinstance(turns, list) else ():
            if isinstance(turn, dict):
                yield from _in_turn(turn)


def _in_turn(turn: dict[str, Any]) -> Iterator[Reasoning]:
    if turn.get("type") == "reasoning":
        yield _in_item(turn)
    elif turn.get("role") in _ASSISTANTS:
        own = Reasoning(put_bare=_setter(turn, "reasoning_content"))
        own.texts += [[Spot(turn[name], _setter(turn, name))] for name in _FIELDS if _is_text(turn.get(name))]
        _add_details(turn, own)
        own.texts += _in_tags(turn, "content")
        if own.texts or own.seals:
            yield own
        for name in _BLOCKS:
            yield from _in_blocks(turn.get(name))


def _in_blocks(blocks: Any) -> Iterator[Reasoning]:
    for block in blocks if isinstance(blocks, list) else ():
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "thinking":
            yield _in_thinking(block)
        elif kind == "redacted_thinking":
            yield Reasoning(_opener(block), seals=_seals(block, "data"))
        elif kind == "text":
            yield Reasoning(put_bare=lambda original: None, texts=_in_tags(block, "text"))


def _in_thinking(block: dict[str, Any]) -> Reasoning:
    inner = block.get("thinking")
    parts = _pieces(inner, "text") if isinstance(inner, list) else _pieces([block], "thinking")  # Mistral has a list
    return Reasoning(_setter(block, "thinking"), [parts] if parts else [], _seals(block, "signature"))


def _in_item(item: dict[str, Any]) -> Reasoning:
    """A reasoning item of the Responses dialect."""

    def put_bare(original: str) -> None:
        item["content"] = [{"type": "reasoning_text", "text": original}]

    texts = [_pieces(item.get(name), "text") for name in ("content", "summary")]
    return Reasoning(put_bare, [pieces for pieces in texts if pieces], _seals(item, "encrypted_content"))


def _add_details(turn: dict[str, Any], own: Reasoning) -> None:
    """`reasoning_details`: a client may have kept one text, or one item for each event of the stream."""
    details = turn.get("reasoning_details")
    if not isinstance(details, list):
        return
    own.texts += [pieces for name in ("text", "summary") if (pieces := _pieces(details, name))]
    for detail in details:
        if isinstance(detail, dict) and detail.get("type") == "reasoning.encrypted" and _is_text(detail.get("data")):
            own.seals.append(Seal(detail["data"], _in_detail(details, detail)))


def _in_detail(details: list[Any], detail: dict[str, Any]) -> Callable[[str], None]:
    def put(value: str) -> None:
        if value:
            detail["data"] = value
        else:
            details[:] = [other for other in details if other is not detail]

    return put


def _seals(holder: dict[str, Any], name: str) -> list[Seal]:
    return [Seal(holder[name], _setter(holder, name))] if _is_text(holder.get(name)) else []


def _pieces(blocks: Any, name: str) -> list[Spot]:
    if not isinstance(blocks, list):
        return []
    texts = (block for block in blocks if isinstance(block, dict) and _is_text(block.get(name)))
    return [Spot(block[name], _setter(block, name)) for block in texts]


def _in_tags(holder: dict[str, Any], name: str) -> list[list[Spot]]:
    """Reasoning between think tags, last first, so that putting one text leaves the offsets of the others as they are."""
    text = holder.get(name)
    if not isinstance(text, str) or len(text) < thinking.SHORTEST:
        return []
    spans = [(t.start, t.end) for t in reversed(thinking.find(text)) if t.end > t.start]
    return [[Spot(text[start:end], _splicer(holder, name, start, end))] for start, end in spans]


def _splicer(holder: dict[str, Any], name: str, start: int, end: int) -> Callable[[str], None]:
    def put(original: str) -> None:
        holder[name] = holder[name][:start] + original + holder[name][end:]

    return put


def _setter(holder: dict[str, Any], name: str) -> Callable[[str], None]:
    def put(text: str) -> None:
        holder[name] = text

    return put


def _opener(block: dict[str, Any]) -> Callable[[str], None]:
    """Makes a thinking block of a redacted one."""

    def put(text: str) -> None:
        block.clear()
        block.update({"type": "thinking", "thinking": text, "signature": ""})

    return put


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""
