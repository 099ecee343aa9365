"""The reasoning beside its prompt and its answer, which an adversary has too."""

from __future__ import annotations

import math
from collections import Counter

from antidistill.measure.features.summary import ABSENT
from antidistill.measure.features.view import WORD, View, plain_numbers


def context(view: View) -> dict[str, float]:
    """Sizes of prompt and answer, and how much of them the reasoning holds.

    A question of a given size calls for a reasoning of a certain size, and what the answer says was mostly worked out
    before: where sentences are missing, both fit less well.
    """
    trace = view.trace
    said = {word for words in view.words for word in words}
    mentions = Counter(number for found in view.numbers for number in found)
    answer_numbers = plain_numbers(trace.answer)
    return {
        "prompt_size": math.log1p(len(trace.prompt)),
        "prompt_numbers": math.log1p(len(plain_numbers(trace.prompt))),
        "answer_size": math.log1p(len(trace.answer)),
        "answer_numbers": math.log1p(len(answer_numbers)),
        "reasoning_to_prompt": math.log1p(len(trace.reasoning)) - math.log1p(len(trace.prompt)),
        "reasoning_to_answer": math.log1p(len(trace.reasoning)) - math.log1p(len(trace.answer)),
        "prompt_words_held": _held(WORD.findall(trace.prompt.lower()), said),
        "answer_words_held": _held(WORD.findall(trace.answer.lower()), said),
        "answer_numbers_held": _held(answer_numbers, mentions),
        **_result(view, answer_numbers, mentions),
    }


def _held(wanted: list[str], there: set[str] | Counter[str]) -> float:
    kinds = set(wanted)
    return sum(word in there for word in kinds) / max(len(kinds), 1)


def _result(view: View, answer_numbers: list[str], mentions: Counter[str]) -> dict[str, float]:
    """Where and how often the reasoning names the last number of the answer."""
    result = answer_numbers[-1] if answer_numbers else ""
    at = [place for place, found in enumerate(view.numbers) if result in found]
    total = max(len(view.sentences), 1)
    return {
        "result_mentions": math.log1p(mentions[result]),
        "result_share": len(at) / total,
        "result_first": float(view.places[at[0]]) if at else 1.0,
        "result_first_sentence": math.log1p(at[0] if at else total),
        "sentences_since_result": math.log1p(total - at[0]) if at else ABSENT,
    }
