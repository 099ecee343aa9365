"""Finds reasoning in messages, blocks and raw text, one candidate for each place where it stands.

It stands between delimiters in the text, in blocks of its own, or under keys such as `reasoning_content`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from antidistill.formats.columns import is_setting, reasoning_prefix
from antidistill.formats.found import KeyPath
from antidistill.formats.messages import (
    ASSISTANTS,
    CLOSINGS,
    OPENINGS,
    content_of,
    is_reasoning_block,
    outside,
    prompt_of,
    role_of,
    thoughts_beside,
    visible_text,
)
from antidistill.text import thinking

_BLOCK_KEYS = ("thinking", "text", "reasoning", "summary", "content", "parts")


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
    key, content = content_of(message)
    names = [name for name in message if reasoning_prefix(name) is not None]
    reasoning = next((message[name] for name in names if isinstance(message[name], str)), "")
    thoughts = thoughts_beside(reasoning, content) if isinstance(content, str) else []
    answer = outside(thoughts, content) if isinstance(content, str) else visible_text(content)
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
    reasoning = reasoning or is_reasoning_block(block)
    for key in _BLOCK_KEYS:
        value, here = block.get(key), (*path, key)
        if isinstance(value, str):
            yield from in_reasoning(value, here, prompt, answer) if reasoning else in_text(value, here, prompt)
        elif isinstance(value, (list, tuple)):
            yield from in_blocks(value, here, prompt, answer, reasoning=reasoning)
