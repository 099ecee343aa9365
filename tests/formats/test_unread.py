"""Reasoning where no dialect reads it is named, and what only looks like it is not."""

import json

import pyarrow.parquet as pq
import pytest

from antidistill.formats import locate
from antidistill.formats.unread import unread

R = "Okay, two and two.\nWait, let me check that.\n\nFour it is."
R2 = "Alternatively, count on the fingers: one, two, three, four."
USER = {"role": "user", "content": "What is 2+2?"}
PLAIN = {"id": 1, "question": "2+2?", "reasoning": R, "answer": "4"}
ANSWER = {"question": "2+2?", "response": "4"}
R1_ZERO = "Reason within <think> </think> tags, i.e. <think> reasoning here </think><answer> answer here </answer>."


def named(row):
    return [".".join(map(str, path)) for path in unread(row, locate(row))]


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({**ANSWER, "answer": f"<think>{R}</think>4"}, "answer"),
        ({**ANSWER, "answer": f"{R}</think>4"}, "answer"),
        ({**ANSWER, "trace": f"<think>{R}</think>4"}, "trace"),
        ({**ANSWER, "meta": {"log": [f"[THINK]{R}[/THINK]4"]}}, "meta.log.0"),
        ({"response": f"<THINK>{R}</THINK>4"}, "response"),
        ({"messages": [USER, {"role": "assistant", "content": f"<Think>{R}</Think>4"}]}, "messages.1.content"),
        ({**PLAIN, "trace": f"<think>{R2}</think>4"}, "trace"),
        ({**PLAIN, "note": f"<think>{R}</think>4\n<think>{R2}</think>"}, "note"),
        ({"response": f"<think>{R}</think>4\n<THINK>{R2}</THINK>"}, "response"),
        ({**PLAIN, "answer": f"<think>{R2}</think>4"}, "answer"),
        ({**PLAIN, "raw": json.dumps({"content": f"<think>{R2}</think>4"})}, "raw"),
        ({**PLAIN, "question": "<think>"[:-1], "final": "<think>So.</think>4"}, "final"),
    ],
)
def test_between_delimiters(row, path):
    assert named(row) == [path]


@pytest.mark.parametrize(
    "name",
    [
        "reasoning_steps",
        "Reasoning Steps",
        "deepseek_thinking_steps",
        "reasonings",
        "cots",
        "reasoning_details",
        "analysis",
    ],
)
@pytest.mark.parametrize("value", [R, [R, R2], [{"step": 1, "text": R}], {"first": R}])
def test_columns_called_like_reasoning(name, value):
    assert named({**ANSWER, name: value}) == [name]
    assert named({**ANSWER, "meta": {name: value}}) == [f"meta.{name}"]


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({**ANSWER, "meta": {"reasoning": R}}, "meta.reasoning"),
        ({**ANSWER, "reasoning": {"first": R, "second": R2}}, "reasoning"),
        (
            {"input": [USER, {"type": "reasoning", "summary": [{"type": "summary_text", "text": R}]}], "output": "4"},
            "input.1",
        ),
        ({"messages": [{"role": "assistant", "content": "4", "reasoning_steps": [R]}]}, "messages.0.reasoning_steps"),
        (
            {"messages": [{"role": "assistant", "reasoning": R, "reasoning_summary": R2}]},
            "messages.0.reasoning_summary",
        ),
        ({**ANSWER, "reasoning": [R, {"more": R2}]}, "reasoning.1.more"),
    ],
)
def test_under_names_of_reasoning(row, path):
    assert named(row) == [path]


@pytest.mark.parametrize(
    "row",
    [
        PLAIN,
        ANSWER,
        {**PLAIN, "note": "Use `<think>` and `</think>`.", "stop": "</think>", "n": 1 << 3, "tags": ["[think]"]},
        {**PLAIN, "answer": "So 4.\n</think>\n\n4"},
        {"messages": [{"role": "assistant", "reasoning": R, "content": "So 4.\n</think>\n\n4"}]},
        {"response": f"<think>{R}</think>Use the <think> tag and the </think> tag."},
        {"response": f"{R}</think>more\n</think>4"},
        {**PLAIN, "prompt": R1_ZERO, "system": R1_ZERO, "system_prompt": R1_ZERO, "chat_template": R1_ZERO},
        {
            "messages": [
                {"role": "system", "content": R1_ZERO},
                USER,
                {"role": "assistant", "content": f"<think>{R}</think>4"},
            ]
        },
        {"messages": [{"role": "user", "content": f"<think>{R}</think>"}, {"role": "assistant", "content": "4"}]},
        {"prompt": [{"role": "user", "content": R1_ZERO}], "completion": f"<think>{R}</think>4"},
        {**PLAIN, "text": f"<think>{R}</think>4", "chat": [{"role": "assistant", "content": f"<think>\n{R}</think>4"}]},
        {
            **ANSWER,
            "reasoning_effort": "high",
            "reasoning": {"effort": "high", "summary": "auto"},
            "reasoning_steps": 5,
        },
        {**ANSWER, "reasoning_steps": None, "analysis": "", "reasonings": []},
        {
            **ANSWER,
            "gold_standard_reasoning": R,
            "judge": {"reasoning": R},
            "llm_judge_thinking": f"<think>{R}</think>",
        },
        {
            **ANSWER,
            "tools": [{"parameters": {"properties": {"thought": {"type": "string", "description": R}}}}],
            "schema": {"thought": {"type": "string", "description": R}},
        },
    ],
)
def test_nothing_unread(row):
    assert named(row) == []


def test_real_rows_have_nothing_unread(shared):
    for name in ("gsm8k_4models", "illposed_stress", "thought_anchors_math"):
        for row in pq.read_table(shared / f"traces_{name}.parquet").to_pylist():
            assert named(row) == []


def test_an_answer_that_mentions_a_delimiter_is_among_the_real_rows(shared):
    rows = pq.read_table(shared / "traces_illposed_stress.parquet", filters=[("id", "=", "mip/formula/MiP/DSQ/24")])
    assert "\n</think>\n" in rows.to_pylist()[0]["response"]
