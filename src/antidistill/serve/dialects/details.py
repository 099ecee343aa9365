"""Reasoning that comes as typed items in chat messages, and the seals beside it."""

from __future__ import annotations

import re

from antidistill.serve.dialects.chat_fields import BLOCKS, CHUNKS, DETAILS
from antidistill.serve.dialects.chunk import Chunk
from antidistill.serve.dialects.shapes import Finding, Role
from antidistill.serve.wire.tree import Tree

_ITEMS = {"text": DETAILS, "summary": DETAILS, "thinking": BLOCKS}
_THIRD_PARTIES = ("anthropic-", "openai-", "azure-openai-", "google-", "xai-")
_ENGINE_SEAL = re.compile(r"[0-9a-f]{32}")


def field_of(tree: Tree, found: Finding) -> str:
    """The field of the message that a text belongs to: items of a list are one text."""
    if found.key == "text" and tree.text(found.parent.get("type")) == "text":
        return CHUNKS
    return _ITEMS.get(found.key, found.key)


def is_signed(chunk: Chunk) -> bool:
    """Whether a provider says that the reasoning is a third party's, which signs it: OpenRouter's `format`."""
    if b'"format"' not in chunk.tree.data:
        return False
    return any(
        chunk.tree.text(found.parent.get("format")).startswith(_THIRD_PARTIES)
        for found in chunk.findings
        if found.role in {Role.REASONING, Role.SEAL} and found.parent.get("format") is not None
    )


def is_engine_seal(value: str) -> bool:
    """Whether a signature is the random number that vLLM and SGLang write there."""
    return value == "" or _ENGINE_SEAL.fullmatch(value) is not None


def unseal(chunk: Chunk) -> None:
    """Empties seals that nobody has signed: opaque text of an engine could hold anything."""
    for found in chunk.findings:
        if found.role is Role.SEAL and not is_engine_seal(chunk.tree.text(found.node)):
            chunk.tree.replace(found.node, b'""')
