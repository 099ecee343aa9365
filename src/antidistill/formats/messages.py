"""What the messages of a chat say: who speaks, what was asked, what the model answered.

A message has its text under `content`, `value`, `text` or `parts`; the text is a string or a list of blocks, as in the
interfaces of Anthropic, Mistral, Gemini and the Responses API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from antidistill.formats.columns import is_setting
from antidistill.text import thinking

ASSISTANTS = frozenset(("assistant", "gpt", "model", "bot", "ai", "chatgpt"))
OPENINGS = tuple(d.opening for d in thinking.DELIMITERS)
CLOSINGS = tuple(c for d in thinking.DELIMITERS for c in d.closings)
_INSTRUCTIONS = frozenset(("system", "developer"))
_TEXT_KEYS = ("content", "value", "text", "parts")
_REASONING_TYPES = frozenset(
    ("thinking", "reasoning", "reasoning_text", "summary_text", "reasoning.text", "reasoning.summary")
)


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
    content = content_of(message)[1]
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
    return plain_text(content_of(content)[1]) if isinstance(content, dict) else ""


def visible_text(content: Any, reasoning: str = "") -> str:
    """The text of an assistant's content without its reasoning; see `thoughts_beside` for `reasoning`."""
    if isinstance(content, str):
        return outside(thoughts_beside(reasoning, content), content)
    if isinstance(content, (list, tuple)):
        return "\n".join(filter(None, map(visible_text, content)))
    if not isinstance(content, dict) or is_reasoning_block(content):
        return ""
    return visible_text(content_of(content)[1])


def outside(thoughts: Sequence[thinking.Thought], text: str) -> str:
    """The text without these blocks; the text as it is if there are none."""
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


def content_of(message: Mapping[str, Any]) -> tuple[str, Any]:
    """The key and the value of the content of a message or block."""
    return next(((key, message[key]) for key in _TEXT_KEYS if message.get(key) is not None), ("content", None))


def is_reasoning_block(block: Mapping[str, Any]) -> bool:
    """Whether a block says that it is reasoning."""
    return block.get("type") in _REASONING_TYPES or block.get("thought") is True
