"""Names that datasets and interfaces give to prompt, reasoning, answer, chats and model output."""

from __future__ import annotations

import functools
import re

IDS = ("id", "uuid", "trace_id", "custom_id", "uid", "_id")

PROMPTS = ("prompt", "question", "problem", "instruction", "query", "input", "user_prompt", "user", "task")
"""In the order in which they are looked at."""

CHATS = ("messages", "conversations", "conversation", "chat", "dialogue", "turns")
"""Lists of messages."""

REQUESTS = (*CHATS, "contents", "request", "body")
"""Where the prompt is if no column of `PROMPTS` holds it, in the order in which they are looked at."""

OUTPUTS = (
    "generations",
    "generation",
    "response",
    "responses",
    "completion",
    "completions",
    "output",
    "outputs",
    "text",
    "content",
    "generated_text",
    "model_output",
    "chosen",
    "rejected",
    "choices",
    "candidates",
    "message",
    *CHATS,
)
"""Columns that may hold what a model wrote: raw text, messages, or the stored body of a response."""

ANSWERS = (
    "response",
    "output",
    "completion",
    "content",
    "attempt",
    "answer",
    "final_answer",
    "model_answer",
    "solution",
)
"""What follows the reasoning, in the order in which they are looked at."""

_SETTINGS = frozenset(
    "on off true false yes no none null auto default low medium high minimal detailed concise enabled disabled".split()
)
"""Values of columns such as `reasoning` that only say whether or how much the model thought."""
_LONGEST_SETTING = max(map(len, _SETTINGS))

_REASONING = re.compile(
    r"(?P<prefix>(?:\w+?[_.-])??)"
    r"(?:reasoning|thinking|think|thoughts?|cot|chain_of_thought|rationale|scratchpad)"
    r"(?:_(?:content|text|traces?|trajectory|trajectories|chain|process))?"
)
_OTHER_REASONING = frozenset(("grade_", "grader_", "judge_", "verifier_", "critic_", "evaluation_", "reward_", "gold_"))


@functools.lru_cache(maxsize=4096)
def reasoning_prefix(name: str) -> str | None:
    """What stands before the word for reasoning: "" in `reasoning_content`, "deepseek_" in `deepseek_reasoning`.

    None if the name is not one of a column of reasoning, or if the reasoning is a grader's.
    """
    match = _REASONING.fullmatch(name)
    return match["prefix"] if match and match["prefix"] not in _OTHER_REASONING else None


def is_setting(text: str) -> bool:
    """Whether a text says how much to think and is no reasoning, such as "on" or "high"."""
    return len(text) <= _LONGEST_SETTING and text.lower() in _SETTINGS


def answer_names(prefix: str | None) -> tuple[str, ...]:
    """Columns that may hold the answer to a reasoning column with this prefix, best first."""
    return (*(prefix + name for name in ANSWERS), *ANSWERS) if prefix else ANSWERS
