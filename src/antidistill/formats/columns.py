"""Names that datasets and interfaces give to prompt, reasoning, answer, chats and model output, as `folded` spells them."""

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

_WORD = r"(?:reasoning|thinking|think|thoughts?|cot|chain_of_thought|rationale|scratchpad)"
_PREFIX = r"(?P<prefix>(?:\w+?[_.-])??)"
_REASONING = re.compile(
    rf"{_PREFIX}{_WORD}(?:_(?:content|text|traces?|trajectory|trajectories|chain|process))?", re.ASCII
)
_PARTS_OF_REASONING = re.compile(
    rf"{_PREFIX}(?:{_WORD}_(?:steps?|list|segments?|chunks?|blocks?|sentences|paragraphs|paths?|details|outputs?|log"
    r"|summary|summaries)|reasonings|thinkings|cots|rationales|chains?_of_thoughts?|scratchpads)"
    r"|analysis|analyses|inner_monologue|deliberation",
    re.ASCII,
)
_GRADERS = frozenset("grade grader judge verifier critic evaluation evaluator reward gold".split())
_SEPARATOR = re.compile(r"[_.-]")
_FOLDS = str.maketrans(" -", "__")


@functools.lru_cache(maxsize=4096)
def folded(name: object) -> str:
    """A name in small letters, with underscores for blanks and hyphens: "complex_cot" for "Complex CoT"."""
    return str(name).lower().translate(_FOLDS)


@functools.lru_cache(maxsize=4096)
def reasoning_prefix(name: str) -> str | None:
    """What stands before the word for reasoning: "" in `reasoning_content`, "deepseek_" in `DeepSeek_Reasoning`.

    None if the name is not one of a column of reasoning, or if the reasoning is a grader's.
    """
    match = _REASONING.fullmatch(folded(name))
    return match["prefix"] if match and not is_of_a_grader(match["prefix"]) else None


@functools.lru_cache(maxsize=4096)
def sounds_like_reasoning(name: str) -> bool:
    """Whether a name is one of reasoning, or of parts of it that are not read, such as `reasoning_steps`."""
    match = _PARTS_OF_REASONING.fullmatch(folded(name))
    parts = match is not None and not is_of_a_grader(match["prefix"] or "")
    return parts or reasoning_prefix(name) is not None


@functools.lru_cache(maxsize=4096)
def is_of_a_grader(name: str) -> bool:
    """Whether a name says that somebody else than the model thinks: "llm_judge_", "gold_standard_"."""
    return not _GRADERS.isdisjoint(_SEPARATOR.split(folded(name)))


def is_setting(text: str) -> bool:
    """Whether a text says how much to think and is no reasoning, such as "on" or "high"."""
    return len(text) <= _LONGEST_SETTING and text.lower() in _SETTINGS


def answer_names(prefix: str | None) -> tuple[str, ...]:
    """Columns that may hold the answer to a reasoning column with this prefix, best first."""
    return (*(prefix + name for name in ANSWERS), *ANSWERS) if prefix else ANSWERS
