"""The keyword tagger of arXiv 2604.23238, appendix D: the first rule that matches names the function.

The paper prints two of its keywords ("alternatively" for planning; "wait" and "actually" for uncertainty) and the rule for the
rest: a sentence that no rule matches is active computation. The other keywords are ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (function, re.compile(pattern, re.IGNORECASE))
    for function, pattern in (
        ("final_answer_emission", r"\\boxed|\b(?:the |my )?final answer\b|\banswer is\b"),
        ("uncertainty_management", r"\b(?:wait|actually|hmm+|not sure|confus\w+|hold on|mistake|am i|maybe i)\b"),
        (
            "self_checking",
            r"\b(?:double[- ]check|verif\w+|check (?:if|that|this|again)|let me check|make sure|confirm)\b",
        ),
        (
            "plan_generation",
            r"\b(?:alternatively|let me|let's|i need to|i should|i can|we need to|first,? i|approach|try to)\b",
        ),
        (
            "problem_setup",
            r"\b(?:the problem (?:is|asks|says)|we are (?:given|asked)|i(?:'ve| have) (?:got )?this problem|asked to)\b",
        ),
        (
            "result_consolidation",
            r"\b(?:therefore|thus|in (?:total|summary|conclusion)|overall|putting .* together|so the total)\b",
        ),
        (
            "fact_retrieval",
            r"\b(?:formula|recall|remember|definition|theorem|know that|by definition|states? that|means that)\b",
        ),
    )
)
_REST = "active_computation"


@dataclass(frozen=True, kw_only=True, slots=True)
class RegexTagger:
    """Tells the function by keywords alone, sentence by sentence."""

    name: ClassVar[str] = "regex"

    def tag(self, sentences: Sequence[str], prompt: str = "") -> list[str]:
        """One function per sentence; the prompt is not looked at."""
        return [_function(sentence) for sentence in sentences]


def _function(sentence: str) -> str:
    return next((function for function, pattern in _RULES if pattern.search(sentence)), _REST)
