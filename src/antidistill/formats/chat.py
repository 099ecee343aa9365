"""Reads messages: what was asked, what the model thought, what it answered.

A message has its text under `content`, `value` or `text`; the text is a string or a list of blocks, as in the interfaces
of Anthropic, Mistral, Gemini and the Responses API. Reasoning stands between delimiters in the text, in blocks of its
own, or under keys such as `reasoning_content`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from antidistill.formats.columns import is_setting, reasoning_prefix
from antidistill.formats.found import KeyPath
from antidistill.text import thinking

ASSISTANTS = frozenset(("assistant", "gpt", "model", "bot", "ai", "chatgpt"))
_INSTRUCTIONS = frozenset(("system", "developer"))
_TEXT_KEYS = ("content", "value", "text", "parts")
_BLOCK_KEYS = ("thinking", "text", "reasoning", "summary", "content", "parts")
_REASONING_TYPES = frozenset(
    ("thinking", "reasoning", "reasoning_text", "summary_text", "reasoning.text", "reasoning.summary")
)
OPENINGS = tuple(d.opening for d in thinking.DELIMITERS)
CLOSINGS = tuple(c for d in thinking.DELIMITERS for c in d.closings)


class Candidate(NamedTuple):
    """Reasoning in one place: the piece `[start:end)` of `text`, the string at `path`."""

    path: KeyPath
    text: str
    start: int
    end: int
    prompt: str
    answer: str

    @property
    def reasoning(self) -> str:
        """The piece itself."""
        return self.text[self.start : self.end]


def prompt_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """The messages before an assistant's turn as one prompt, the same for a file and for a request.

    It is the text of the messages, joined by blank lines: of a single user message, exactly its text. System and
    developer messages are left out, because files of traces seldom hold them. Of assistant messages only the answer
    counts, without the white space around it, because clients send reasoning back or not, guarded or not.
    """
    return "\n\n".join(filter(None, map(_asked, messages)))


def _asked(message: Mapping[str, Any]) -> str:
    role = role_of(message)
    if role in _INSTRUCTIONS:
        return ""
    content = _content(message)[1]
    return visible_text(content).strip() if role in ASSISTANTS else plain_text(content)


def role_of(message: Mapping[str, Any]) -> str:
    """The role of a message in small letters, or "" if it has none."""
    role = message.get("role") or message.get("from")
    return role.lower() if isinstance(role, str) else ""


def is_message(value: Any) -> bool:
    """Whether a value has a role or a sender."""
    return isinstance(value, dict) and ("role" in value or "from" in value)


def plain_text(content: Any) -> str:
    """The text of a content: the string itself, or the texts of its blocks, one a line."""
    if isinstance(content, str):
        return content
    if isinstance(content, (list, tuple)):
        return "\n".join(filter(None, map(plain_text, content)))
    return plain_text(_content(content)[1]) if isinstance(content, dict) else ""


def visible_text(content: Any, reasoning: str = "") -> str:
    """The text of an assistant's content without its reasoning; see `thoughts_beside` for `reasoning`."""
    if isinstance(content, str):
        return _outside(thoughts_beside(reasoning, content), content)
    if isinstance(content, (list, tuple)):
        return "\n".join(filter(None, map(visible_text, content)))
    if not isinstance(content, dict) or _is_reasoning_block(content):
        return ""
    return visible_text(_content(content)[1])


def _outside(thoughts: list[thinking.Thought], text: str) -> str:
    return "\n".join([text[t.answer_start : t.answer_end] for t in thoughts]) if thoughts else text


def thoughts_beside(reasoning: str, text: str) -> list[thinking.Thought]:
    """Blocks of reasoning in a text whose reasoning may stand elsewhere.

    Beside reasoning, a text is an answer and stays whole, whatever it says about delimiters, unless it opens with one or
    repeats the reasoning between them.
    """
    thoughts = thinking.find(text)
    if not thoughts or not reasoning.strip() or is_setting(reasoning) or text.lstrip().startswith(OPENINGS):
        return thoughts
    repeats = any(text[t.start : t.end].strip() == reasoning.strip() for t in thoughts)
    return thoughts if repeats else []


def _content(message: Mapping[str, Any]) -> tuple[str, Any]:
    return next(((key, message[key]) for key in _TEXT_KEYS if message.get(key) is not None), ("content", None))


def in_chat(messages: Sequence[Mapping[str, Any]], path: KeyPath, prompt: str) -> Iterator[Candidate]:
    """Reasoning of every assistant's turn; its prompt is `prompt_of` the messages before it.

    Messages that start with an assistant's turn go on from `prompt`.
    """
    asked = prompt if messages and role_of(messages[0]) in ASSISTANTS else ""
    for position, message in enumerate(messages):
        if role_of(message) in ASSISTANTS:
            found = list(in_message(message, (*path, position), ""))
            if found:
                whole = "\n\n".join(filter(None, (asked, prompt_of(messages[:position]))))
                yield from (candidate._replace(prompt=whole) for candidate in found)


def in_message(message: Mapping[str, Any], path: KeyPath, prompt: str) -> Iterator[Candidate]:
    """Reasoning of one assistant's message: under keys of its own, in blocks, between delimiters."""
    key, content = _content(message)
    names = [name for name in message if reasoning_prefix(name) is not None]
    reasoning = next((message[name] for name in names if isinstance(message[name], str)), "")
    thoughts = thoughts_beside(reasoning, content) if isinstance(content, str) else []
    answer = _outside(thoughts, content) if isinstance(content, str) else visible_text(content)
    under_keys = [c for name in names for c in in_reasoning(message[name], (*path, name), prompt, answer)]
    yield from under_keys
    yield from _between(thoughts, content, (*path, key), prompt)
    if isinstance(content, (list, tuple)):
        yield from in_blocks(content, (*path, key), prompt, answer)
    elif isinstance(content, dict):
        yield from in_block(content, (*path, key), prompt, answer)
    details = message.get("reasoning_details")  # repeats what stands under a key, if one is there
    if not under_keys and isinstance(details, (list, tuple)):
        yield from in_blocks(details, (*path, "reasoning_details"), prompt, answer)


def in_reasoning(value: Any, path: KeyPath, prompt: str, answer: str) -> Iterator[Candidate]:
    """Reasoning in a value that holds nothing else: a string, with or without delimiters, or several."""
    if isinstance(value, str):
        if not is_setting(value):
            yield from _without_delimiters(value, path, prompt, answer)
    elif isinstance(value, (list, tuple)):
        yield from in_blocks(value, path, prompt, answer, reasoning=True)
    elif isinstance(value, dict):
        yield from in_block(value, path, prompt, answer, reasoning=True)


def _without_delimiters(text: str, path: KeyPath, prompt: str, answer: str) -> Iterator[Candidate]:
    thoughts: list[thinking.Thought] = []
    if text.lstrip().startswith(OPENINGS) or text.rstrip().endswith(CLOSINGS):
        thoughts = thinking.find(text)
    for start, end in [(t.start, t.end) for t in thoughts] or [(0, len(text))]:
        yield Candidate(path, text, start, end, prompt, answer)


def in_text(text: str, path: KeyPath, prompt: str, reasoning: str = "") -> Iterator[Candidate]:
    """Reasoning between delimiters in raw text; see `thoughts_beside` for `reasoning`."""
    return _between(thoughts_beside(reasoning, text), text, path, prompt)


def _between(thoughts: list[thinking.Thought], text: str, path: KeyPath, prompt: str) -> Iterator[Candidate]:
    for _, start, end, answer_start, answer_end in thoughts:
        yield Candidate(path, text, start, end, prompt, text[answer_start:answer_end])


def in_blocks(
    blocks: Sequence[Any], path: KeyPath, prompt: str, answer: str, *, reasoning: bool = False
) -> Iterator[Candidate]:
    """Reasoning in a list of blocks, which are strings or have a type; `reasoning` says that all of them are it."""
    for position, block in enumerate(blocks):
        here = (*path, position)
        if isinstance(block, str):
            yield from in_reasoning(block, here, prompt, answer) if reasoning else in_text(block, here, prompt)
        elif isinstance(block, dict):
            yield from in_block(block, here, prompt, answer, reasoning=reasoning)


def in_block(
    block: Mapping[str, Any], path: KeyPath, prompt: str, answer: str, *, reasoning: bool = False
) -> Iterator[Candidate]:
    """Reasoning in one block; see `in_blocks`."""
    reasoning = reasoning or _is_reasoning_block(block)
    for key in _BLOCK_KEYS:
        value, here = block.get(key), (*path, key)
        if isinstance(value, str):
            yield from in_reasoning(value, here, prompt, answer) if reasoning else in_text(value, here, prompt)
        elif isinstance(value, (list, tuple)):
            yield from in_blocks(value, here, prompt, answer, reasoning=reasoning)


def _is_reasoning_block(block: Mapping[str, Any]) -> bool:
    return block.get("type") in _REASONING_TYPES or block.get("thought") is True
