"""Rows of traces for the tests of this folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

SENTENCES = (
    "Okay, so we add {n} and 3. ",
    "Wait, is that right?\n\n",
    "Let me see, {n} + 3 = {m}. ",
    "Hmm, I should check the units. ",
    "They are all in metres.\n\n",
    "Alternatively, count on from {n}: {m}. ",
    "So the answer is {m}, naturally – 等等，不对。",
    "Wait, no, that is fine. ",
    "It is {m}.",
)


def trace(n: int) -> dict[str, Any]:
    """A row of a plain dialect; every seventh one has no marker."""
    text = "".join(SENTENCES).format(n=n, m=n + 3) if n % 7 else f"The sum is {n + 3}. That is all."
    return {"id": f"t{n}", "prompt": f"What is {n} + 3?", "reasoning": text, "answer": f"{n + 3}", "score": n / 8}


def chat(n: int) -> dict[str, Any]:
    """The same trace as messages with think tags."""
    row = trace(n)
    content = f"<think>\n{row['reasoning']}\n</think>\n\n{row['answer']}"
    return {"messages": [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": content}], "n": n}


def lines(rows: list[dict[str, Any]]) -> bytes:
    """Rows as JSON lines."""
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def mixed(path: Path, n: int = 60, bad: Sequence[int] = ()) -> Path:
    """Traces of several dialects, blank lines and bad lines."""
    rows: list[bytes] = []
    for number in range(n):
        rows.append(b"cut {\n" if number in bad else lines([trace(number) if number % 3 else chat(number)]))
        rows.append(b"\n" if number % 11 == 5 else b"")
    path.write_bytes(b"".join(rows))
    return path
