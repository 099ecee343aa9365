"""Usage counts: as the engine counted, counted again from what the client sees, or left out.

Reasoning tokens that were counted minus tokens that can be seen are the tokens that were cut.
"""

from __future__ import annotations

import re
from typing import Any

from antidistill.serve.guard.context import Seen
from antidistill.serve.policies import Usage

_OUTPUT = ("completion_tokens", "output_tokens", "eval_count")
_TOTAL = ("total_tokens",)
_REASONING = ("reasoning_tokens", "thinking_tokens")
_DETAILS = ("completion_tokens_details", "output_tokens_details")
_INPUT = (
    "prompt_tokens",
    "input_tokens",
    "prompt_eval_count",
    "prompt_tokens_details",
    "input_tokens_details",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "prompt_cache_hit_tokens",
    "prompt_cache_miss_tokens",
    "service_tier",
)
_WORD = re.compile(r"[A-Za-z0-9_.-]{0,63}[A-Za-z0-9_-]")


def recount(usage: Any, mode: Usage, seen: Seen) -> Any:
    """A usage object as the client gets it; None where nothing is left of it.

    Counts again by the share of characters that the client sees, because a proxy has no tokenizer.

    Args:
        usage: as the engine sent it.
        mode: what counts say.
        seen: characters of the response.
    """
    if not isinstance(usage, dict):
        return None
    if mode is Usage.UPSTREAM:
        return _numbers(usage)
    kept = {name: _numbers(usage[name]) for name in _INPUT if name in usage}
    if mode is Usage.VISIBLE:
        kept |= _visible(usage, seen)
    return kept or None


def _visible(usage: dict[str, Any], seen: Seen) -> dict[str, Any]:
    details = {name: usage[name] for name in _DETAILS if isinstance(usage.get(name), dict)}
    told = [part[name] for part in (usage, *details.values()) for name in _REASONING if _is_count(part.get(name))]
    output = next((usage[name] for name in _OUTPUT if _is_count(usage.get(name))), 0)
    cut = _cut(output, max(told, default=None), seen)
    counts: dict[str, Any] = {}
    for name in (*_OUTPUT, *_TOTAL, *_REASONING):
        if _is_count(usage.get(name)):
            counts[name] = max(0, usage[name] - cut)
    for name, part in details.items():
        inner = {key: max(0, part[key] - cut) for key in _REASONING if _is_count(part.get(key))}
        counts[name] = {key: value for key, value in part.items() if _is_count(value)} | inner
    return counts


def _cut(output: int, reasoning: int | None, seen: Seen) -> int:
    """Tokens that the client does not see."""
    base = output if reasoning is None else reasoning
    whole = seen.came + (seen.answered if reasoning is None else 0)
    return round(base * (seen.came - seen.left) / whole) if whole else 0


def _numbers(value: Any) -> Any:
    """The numbers and short words of a value: text does not pass in their place."""
    if isinstance(value, dict):
        return {key: _numbers(inner) for key, inner in value.items() if _WORD.fullmatch(key)}
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
