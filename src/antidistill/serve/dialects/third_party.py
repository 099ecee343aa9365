"""Reasoning that a third party has signed: it passes as it is, because its owner checks it when it comes back.

A name alone is no proof, since engines are often started under the name of a model that clients know; a seal that looks like a
third party's is needed too, or the word of the provider.
"""

from __future__ import annotations

import re

_MODEL = re.compile(
    r"(?:[\w.-]+/)*(?:[a-z]{2,4}\.)?(?:anthropic\.)?(?:claude|gemini|gpt-(?!oss)|o[1-9]\b|chatgpt|codex|grok)", re.I
)
_SEAL = re.compile(r"[A-Za-z0-9+/_-]{64,}={0,2}")


def may_be_signed(model: str) -> bool:
    """Whether the owner of a model of this name signs its reasoning."""
    return _MODEL.match(model) is not None


def is_foreign_seal(value: str) -> bool:
    """Whether a seal looks like a third party's: long, and of no alphabet that sentences are written in."""
    return _SEAL.fullmatch(value) is not None
