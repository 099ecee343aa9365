"""Names and types of values that betray an edit of the reasoning: counts, lengths, ids, probabilities, hashes."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from antidistill.formats.columns import folded

_WORD = re.compile(r"[A-Z]?[a-z]+\d*|[A-Z]+(?![a-z])|\d+")
_NUMBER = re.compile(r"\s*[+-]?(?!0+\s*$)\.?\d")
_NOT_OF_THE_REASONING = frozenset(
    "prompt question problem input instruction query context system user max min limit budget cached cache cost "
    "image audio video file commit model dataset config schema code source gold reference answer test price".split()
)
_ALWAYS_TOKENS = frozenset(("input_ids", "attention_mask", "position_ids", "loss_mask", "assistant_masks"))
_KINDS = (
    ("log probabilities", frozenset("logprobs logprob logits".split())),
    ("score of the text", frozenset("perplexity ppl nll".split())),
    ("embedding", frozenset("embedding embeddings hidden activations".split())),
    ("hash", frozenset("hash md5 sha1 sha256 sha512 checksum digest minhash simhash".split())),
    ("length", frozenset("length lengths len chars characters words sentences".split())),
    ("encrypted reasoning", frozenset("encrypted".split())),
)


@functools.lru_cache(maxsize=4096)
def kind_of(name: str) -> str:
    """What a value of this name would betray; empty for most names."""
    words = {word.lower() for word in _WORD.findall(name)}
    if folded(name) in _ALWAYS_TOKENS:
        return "token ids"
    if words & _NOT_OF_THE_REASONING:
        return ""
    if words >= {"thought", "signature"}:
        return "signature"
    for kind, signs in _KINDS:
        if words & signs:
            return kind
    if "ids" in words and words & {"token", "output", "completion", "response"}:
        return "token ids"
    if "count" in words and words & {"word", "char", "character", "sentence"}:
        return "length"
    return "token count" if words & {"token", "tokens"} or words >= {"eval", "count"} else ""


def tells(kind: str, value: Any) -> bool:
    """Whether a value is of the type that its name promises, and not empty."""
    if not value or isinstance(value, bool):
        return False
    if kind in ("hash", "signature", "encrypted reasoning"):
        return isinstance(value, (str, bytes, int, list))
    if isinstance(value, dict):
        return kind == "log probabilities" and any(value.values())
    while isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return bool(_NUMBER.match(value))
    return isinstance(value, (int, float)) or (kind == "log probabilities" and isinstance(value, dict))


def kind_in_block(key: str, block: Mapping[str, Any]) -> str:
    """Names that only betray something in a block of reasoning."""
    of_reasoning = "thinking" in block or str(block.get("type")).startswith(("thinking", "redacted", "reasoning"))
    return {"signature": "signature", "data": "encrypted reasoning"}.get(key, "") if of_reasoning else ""
