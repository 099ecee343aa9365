"""Every dialect: prompt, reasoning, answer and places, in rows as the datasets and servers of each kind write them."""

import pytest

from antidistill.errors import RowError
from antidistill.formats import Place, locate
from antidistill.formats.found import value_at

ASKED = "What is 2+2?"
R = "Okay, two and two.\nWait, let me check that.\n\nFour it is."
R2 = "Alternatively, count on the fingers: one, two, three, four."
TAGGED = f"<think>\n{R}\n</think>\n\nIt is 4."
ONE = [(ASKED, R, "It is 4.")]
PADDED = [(ASKED, f"\n{R}\n", "It is 4.")]

USER = {"role": "user", "content": ASKED}

ROWS = {
    "plain": ({"question": ASKED, "reasoning": R, "answer": "It is 4."}, ONE),
    "plain, response before answer": (
        {"problem": ASKED, "reasoning_content": R, "answer": "4", "response": "It is 4."},
        ONE,
    ),
    "plain, prompt as messages": ({"prompt": [USER], "thinking": R, "completion": "It is 4."}, ONE),
    "plain, instruction and input": (
        {"instruction": "Add.", "input": "2+2", "thought": R, "output": "It is 4."},
        [("Add.\n\n2+2", R, "It is 4.")],
    ),
    "plain, delimiters in the column": ({"question": ASKED, "cot": f"<think>{R}</think>", "answer": "It is 4."}, ONE),
    "plain, closing delimiter in the column": ({"question": ASKED, "cot": f"{R}</think>", "answer": "It is 4."}, ONE),
    "plain, no prompt": ({"id": 3, "reasoning": R, "answer": "It is 4."}, [("", R, "It is 4.")]),
    "plain, several steps": (
        {"question": ASKED, "reasoning": [R, R2], "answer": "It is 4."},
        [(ASKED, R, "It is 4."), (ASKED, R2, "It is 4.")],
    ),
    "s1K": (
        {
            "solution": "4",
            "question": ASKED,
            "cot_type": "math",
            "cot": None,
            "thinking_trajectories": [R],
            "attempt": "It is 4.",
        },
        ONE,
    ),
    "s1K-1.1": (
        {
            "solution": "4",
            "question": ASKED,
            "cot_type": "math",
            "source_type": "x",
            "gemini_thinking_trajectory": R2,
            "gemini_attempt": "Four.",
            "deepseek_thinking_trajectory": R,
            "deepseek_attempt": "It is 4.",
            "gemini_grade": "Yes",
        },
        [(ASKED, R2, "Four."), (ASKED, R, "It is 4.")],
    ),
    "OpenThoughts metadata": (
        {
            "problem": ASKED,
            "deepseek_reasoning": R,
            "deepseek_solution": "It is 4.",
            "ground_truth_solution": "4",
            "domain": "math",
            "test_cases": None,
        },
        ONE,
    ),
    "reasoning switched on": (
        {"input": [USER], "output": TAGGED, "reasoning": "on", "category": "math", "system_prompt": ""},
        PADDED,
    ),
    "reasoning switched on, starts inside": (
        {"input": ASKED, "output": f"{R}</think>It is 4.", "reasoning": "on"},
        ONE,
    ),
    "messages with tags": ({"messages": [USER, {"role": "assistant", "content": TAGGED}], "source": "x"}, PADDED),
    "messages, starts inside": (
        {"messages": [USER, {"role": "assistant", "content": f"{R}</think>It is 4."}]},
        ONE,
    ),
    "messages, cut off": (
        {"messages": [USER, {"role": "assistant", "content": f"<think>{R}"}]},
        [(ASKED, R, "")],
    ),
    "messages with reasoning_content": (
        {"messages": [USER, {"role": "assistant", "content": "It is 4.", "reasoning_content": R}]},
        ONE,
    ),
    "messages with reasoning, nulls elsewhere": (
        {
            "messages": [
                {"role": "user", "content": ASKED, "reasoning": None},
                {"role": "assistant", "content": "It is 4.", "reasoning": R},
            ]
        },
        ONE,
    ),
    "messages with thinking blocks": (
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": ASKED}]},
                {
                    "role": "assistant",
                    "content": [{"type": "thinking", "thinking": R}, {"type": "text", "text": "It is 4."}],
                },
            ]
        },
        ONE,
    ),
    "messages with nested thinking blocks": (
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": [{"type": "text", "text": R}]},
                        {"type": "text", "text": "It is 4."},
                    ],
                },
            ]
        },
        ONE,
    ),
    "OpenThoughts conversations": (
        {
            "system": "Think first.",
            "conversations": [
                {"from": "user", "value": ASKED},
                {
                    "from": "assistant",
                    "value": f"<|begin_of_thought|>\n\n{R}\n\n<|end_of_thought|>\n\n"
                    "<|begin_of_solution|>\n\nIt is 4.<|end_of_solution|>",
                },
            ],
        },
        [(ASKED, f"\n\n{R}\n\n", "It is 4.")],
    ),
    "ShareGPT": ({"conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": TAGGED}]}, PADDED),
    "OpenR1-Math": (
        {
            "problem": ASKED,
            "solution": "4",
            "answer": "4",
            "uuid": "u-1",
            "generations": [TAGGED, f"<think>\n{R2}\n</think>\nFour."],
            "is_reasoning_complete": [True, True],
            "correctness_math_verify": [True, False],
            "finish_reasons": ["stop", "stop"],
            "messages": [USER, {"role": "assistant", "content": TAGGED}],
        },
        [*PADDED, (ASKED, f"\n{R2}\n", "Four.")],
    ),
    "prompt and completion": ({"prompt": ASKED, "completion": TAGGED}, PADDED),
    "prompt and completion as messages": (
        {"prompt": [USER], "completion": [{"role": "assistant", "content": TAGGED}]},
        PADDED,
    ),
    "preferences": (
        {"prompt": ASKED, "chosen": TAGGED, "rejected": f"<think>{R2}</think>Five."},
        [*PADDED, (ASKED, R2, "Five.")],
    ),
    "text": ({"text": f"{ASKED}<think>\n{R}\n</think>\n\nIt is 4."}, PADDED),
    "several blocks": (
        {"question": ASKED, "response": f"<think>{R}</think>First.\n<think>{R2}</think>Four."},
        [(ASKED, R, "First.\n"), (ASKED, R2, "Four.")],
    ),
    "chat completion": (
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "It is 4.", "reasoning_content": R}},
                {"index": 1, "message": {"role": "assistant", "content": "Four.", "reasoning_content": R2}},
            ],
        },
        [("", R, "It is 4."), ("", R2, "Four.")],
    ),
    "chat completion with its request": (
        {
            "request": {"model": "m", "messages": [{"role": "system", "content": "Be brief."}, USER]},
            "response": {"choices": [{"message": {"role": "assistant", "content": "It is 4.", "reasoning": R}}]},
        },
        ONE,
    ),
    "messages as request": (
        {"messages": [USER], "choices": [{"message": {"role": "assistant", "content": "It is 4.", "reasoning": R}}]},
        ONE,
    ),
    "batch line": (
        {
            "id": "batch_req_1",
            "custom_id": "q-1",
            "response": {
                "status_code": 200,
                "body": {"choices": [{"message": {"role": "assistant", "content": TAGGED}}]},
            },
            "error": None,
        },
        [("", f"\n{R}\n", "It is 4.")],
    ),
    "completion": ({"prompt": ASKED, "choices": [{"text": TAGGED, "index": 0}]}, PADDED),
    "OpenRouter": (
        {
            "choices": [
                {
                    "message": {
                        "role": "assistant",
                        "content": "It is 4.",
                        "reasoning": R,
                        "reasoning_details": [{"type": "reasoning.text", "text": R, "format": "x", "index": 0}],
                    }
                }
            ]
        },
        [("", R, "It is 4.")],
    ),
    "reasoning_details alone": (
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": "It is 4.",
                    "reasoning": None,
                    "reasoning_details": [{"type": "reasoning.summary", "summary": R}],
                },
            ]
        },
        ONE,
    ),
    "Anthropic message": (
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": R}, {"type": "text", "text": "It is 4."}],
        },
        [("", R, "It is 4.")],
    ),
    "OpenAI response": (
        {
            "input": ASKED,
            "reasoning": {"effort": "high", "summary": "auto"},
            "output": [
                {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": R}]},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "It is 4."}]},
            ],
        },
        ONE,
    ),
    "Gemini": (
        {
            "contents": [{"role": "user", "parts": [{"text": ASKED}]}],
            "candidates": [
                {"content": {"role": "model", "parts": [{"text": R, "thought": True}, {"text": "It is 4."}]}}
            ],
        },
        ONE,
    ),
    "Ollama": (
        {"model": "m", "message": {"role": "assistant", "content": "It is 4.", "thinking": R}, "done": True},
        [("", R, "It is 4.")],
    ),
    "gpt-oss": (
        {
            "prompt": ASKED,
            "completion": f"<|channel|>analysis<|message|>{R}<|end|><|start|>assistant"
            "<|channel|>final<|message|>It is 4.<|return|>",
        },
        ONE,
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_dialect(name):
    row, expected = ROWS[name]
    found = locate(row)
    assert [(f.trace.prompt, f.trace.reasoning, f.trace.answer) for f in found] == expected
    for trace, places in found:
        assert places
        for path, start, end in places:
            assert value_at(row, path)[start:end] == trace.reasoning


def test_same_trace_key_in_every_dialect_of_one_exchange():
    keys = {locate(row)[0].trace.key for row, expected in ROWS.values() if expected[0][0] == ASKED}
    assert len(keys) == 1


@pytest.mark.parametrize("key", ["id", "uuid", "custom_id", "trace_id"])
def test_ids(key):
    assert locate({key: 17, "reasoning": R})[0].trace.id == "17"


def test_rows_without_id_take_the_given_name():
    assert locate({"id": None, "reasoning": R}, "5")[0].trace.id == "5"
    assert [f.trace.id for f in locate({"reasoning": [R, R2]}, "5")] == ["5#1", "5#2"]


@pytest.mark.parametrize(
    "row",
    [
        {"question": ASKED, "reasoning": None, "answer": "4"},
        {"question": ASKED, "response": "It is 4."},
        {"messages": [USER, {"role": "assistant", "content": "It is 4."}]},
        {"messages": []},
        {"messages": None},
        {"text": "No reasoning in here."},
        {"question": ASKED, "response": '{"sum": 4}'},
        {"question": ASKED, "thinking": False, "response": "It is 4."},
        {"question": ASKED, "reasoning": "off", "response": "It is 4."},
        {"choices": [], "error": "overloaded"},
        {"messages": [{"role": "user", "content": f"<think>{R}</think>"}]},
    ],
)
def test_no_reasoning(row):
    assert locate(row) == []


@pytest.mark.parametrize(
    ("row", "path", "at"),
    [
        ({"reasoning": "", "answer": "4"}, ("reasoning",), 0),
        ({"response": "<think></think>4"}, ("response",), 7),
        ({"messages": [{"role": "assistant", "content": "<think>"}]}, ("messages", 0, "content"), 7),
        ({"messages": [{"role": "assistant", "content": "4", "thinking": ""}]}, ("messages", 0, "thinking"), 0),
    ],
)
def test_empty_reasoning_is_found_as_empty(row, path, at):
    (found,) = locate(row)
    assert found.trace.reasoning == ""
    assert found.places == ((path, at, at),)


def test_empty_field_beside_reasoning_between_delimiters():
    message = {"role": "assistant", "reasoning_content": "", "content": TAGGED}
    (found,) = locate({"id": 1, "messages": [USER, message]})
    assert (found.trace.id, found.trace.answer) == ("1", "It is 4.")


def test_json_text_beside_reasoning_is_not_read():
    assert len(locate({"reasoning": R, "messages": '[{"content": "<think>x</think>"}]'})) == 1


def test_several_empty_ones_stay_apart():
    assert len(locate({"generations": ["<think></think>3", "<think></think>4"]})) == 2


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({}, "the row has none"),
        ({"a": 1, "b": "x"}, "the row has a, b; expected a column of reasoning"),
        ({"reasoning": 5, "answer": "4"}, "no column holds text .*reasoning=5"),
        ({"messages": '[{"role": "user"}]'}, "column messages holds JSON written as text"),
        ({"response": '{"content": "<think>So\\\\n4.</think>4"}'}, "column response holds JSON written as text"),
    ],
)
def test_rows_of_no_dialect(row, says):
    with pytest.raises(RowError, match=says):
        locate(row)


FOLDED = {
    "medical-o1": ({"Question": ASKED, "Complex_CoT": R, "Response": "It is 4."}, ONE),
    "blanks and hyphens": ({"User Prompt": ASKED, "Chain of Thought": R, "Final-Answer": "It is 4."}, ONE),
    "instruction and input": (
        {"Instruction": "Add.", "Input": "2+2", "Thought": R, "Output": "It is 4."},
        [("Add.\n\n2+2", R, "It is 4.")],
    ),
    "text": ({"Text": f"{ASKED}<think>{R}</think>It is 4."}, ONE),
    "chats": ({"Messages": [USER, {"role": "assistant", "Reasoning": R, "content": "It is 4."}]}, ONE),
}


@pytest.mark.parametrize("name", FOLDED)
def test_column_names_in_other_capitals(name):
    row, expected = FOLDED[name]
    (found,) = locate({"ID": 7, **row})
    assert [(found.trace.prompt, found.trace.reasoning, found.trace.answer)] == expected
    assert found.trace.id == "7"
    assert value_at(row, found.places[0].path)[slice(*found.places[0][1:])] == R


EARLIER = [USER, {"role": "assistant", "content": f"<think>{R}</think>It is 4."}, {"role": "user", "content": "Sure?"}]


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"prompt": EARLIER, "completion": f"<think>{R2}</think>Yes."}, ("prompt",)),
        ({"prompt": EARLIER, "reasoning": R2, "answer": "Yes."}, ("prompt",)),
        (
            {
                "request": {"messages": EARLIER},
                "response": {"choices": [{"message": {"content": "Yes.", "reasoning": R2}}]},
            },
            ("request", "messages"),
        ),
        (
            {"prompt": [*EARLIER, {"role": "assistant", "content": "<think>\n"}], "completion": f"{R2}</think>Yes."},
            ("prompt",),
        ),
    ],
)
def test_earlier_turns_of_the_prompt_are_traces(row, path):
    last, earlier = locate(row)
    assert (last.trace.prompt, last.trace.reasoning) == (f"{ASKED}\n\nIt is 4.\n\nSure?", R2)
    assert (earlier.trace.prompt, earlier.trace.reasoning, earlier.trace.answer) == ONE[0]
    assert earlier.places == (Place((*path, 1, "content"), 7, 7 + len(R)),)


@pytest.mark.parametrize(
    "name", ["gold_standard_reasoning", "llm_judge_reasoning", "Reward-Model Thoughts", "grader.cot"]
)
def test_reasoning_of_graders_is_not_the_models(name):
    assert [f.places[0].path for f in locate({name: R, "reasoning": R2})] == [("reasoning",)]


@pytest.mark.parametrize("name", ["reasoning_effort", "thinking_budget", "num_reasoning_tokens", "grade_reasoning"])
def test_columns_that_only_sound_like_reasoning(name):
    assert locate({name: R, "response": "It is 4."}) == []
