"""What the captures say, and how it is written down."""

from __future__ import annotations

import json
from typing import Any

CUT = "Wait, 7 × 8 is 54, no, 56."
REASONING = f'We need 7 × 8 first. {CUT} So the sum is 56 + 4 = 60.\n\nHmm, is "60" even? Yes, it is.'
ANSWER = 'The sum is **60**.\n\nCafé "60" 😀'


def line(one: Any) -> bytes:
    return json.dumps(one, ensure_ascii=False).encode() + b"\n"


def body(one: Any) -> bytes:
    return json.dumps(one, ensure_ascii=False, indent=1).encode()


def sse(events: list[Any]) -> bytes:
    lines = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in events)
    return "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode()


def named(events: list[Any]) -> bytes:
    return "".join(f"event: {one['type']}\ndata: {json.dumps(one, ensure_ascii=False)}\n\n" for one in events).encode()
