"""Reasoning in raw text: every spelling, and the texts that could be read wrongly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.text.thinking import DELIMITERS, find, in_any_case


def parts(text):
    return [(text[t.start : t.end], text[t.answer_start : t.answer_end]) for t in find(text)]


@pytest.mark.parametrize("pair", DELIMITERS, ids=lambda d: d.opening)
def test_each_pair_of_delimiters(pair):
    text = f"{pair.opening}\nTwo and two.\n{pair.closings[0]}\n\nIt is 4."
    assert parts(text) == [("\nTwo and two.\n", "It is 4.")]


@pytest.mark.parametrize("pair", [d for d in DELIMITERS if d.implied], ids=lambda d: d.opening)
def test_text_that_starts_inside_the_reasoning(pair):
    assert parts(f"Okay. Four.{pair.closings[0]}\n4") == [("Okay. Four.", "4")]


@pytest.mark.parametrize("pair", DELIMITERS, ids=lambda d: d.opening)
def test_unclosed_reasoning_reaches_to_the_end(pair):
    assert parts(f"{pair.opening}Okay. Four") == [("Okay. Four", "")]


@pytest.mark.parametrize("pair", [d for d in DELIMITERS if d.answer], ids=lambda d: d.opening)
def test_marked_answers(pair):
    opening, closing = pair.answer
    assert parts(f"{pair.opening}R{pair.closings[0]}\n{opening}\n4{closing}") == [("R", "4")]


def test_gpt_oss_with_its_turns():
    text = "<|channel|>analysis<|message|>Wait.<|end|><|start|>assistant<|channel|>final<|message|>42<|return|>"
    assert parts(text) == [("Wait.", "42")]


def test_gpt_oss_tool_calls_are_not_reasoning():
    text = (
        "<|channel|>analysis<|message|>Look it up.<|end|><|start|>assistant<|channel|>analysis to=python code"
        "<|message|>print(1)<|call|><|start|>assistant<|channel|>analysis<|message|>One.<|end|>"
        "<|start|>assistant<|channel|>final<|message|>1<|return|>"
    )
    assert [reasoning for reasoning, _ in parts(text)] == ["Look it up.", "One."]
    assert parts(text)[-1][1] == "1"


def test_gpt_oss_without_end_token():
    assert parts("<|channel|>analysis<|message|>R<|channel|>final<|message|>42") == [("R", "42")]


def test_several_blocks():
    text = "<think>A</think>one\n<think>B</think>\ntwo"
    assert parts(text) == [("A", "one\n"), ("B", "two")]


def test_blocks_of_several_spellings():
    assert parts("<think>A [THINK] x</think>one\n[THINK]B <think>[/THINK]two") == [
        ("A [THINK] x", "one\n"),
        ("B <think>", "two"),
    ]


def test_second_block_without_end():
    assert parts("<think>A</think>one\n<think>B") == [("A", "one\n"), ("B", "")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>The <think> tag opens.</think>4", [("The <think> tag opens.", "4")]),
        ("The <think> tag opens. So 4.</think>4", [("The <think> tag opens. So 4.", "4")]),
        ("The `<think>` tag opens. So 4.</think>4", [("The `<think>` tag opens. So 4.", "4")]),
        ("He wants <think>. I use <think>, so 4.</think>4", [("He wants <think>. I use <think>, so 4.", "4")]),
        ("<think>A</think>4 (<think>x</think>)", [("A", "4 (<think>x</think>)")]),
        ("<think>A</think>使用<think>标签</think>。", [("A", "使用<think>标签</think>。")]),
        ("<think>I close with `</think>`. Four.</think>4", [("I close with `</think>`. Four.", "4")]),
        ("<think>A\n<think>\nB</think>4", [("A\n<think>\nB", "4")]),
        ("<think>A</think>Use `<think>` and `</think>`.", [("A", "Use `<think>` and `</think>`.")]),
        ("<think>A</think>The <think> tag and the </think> tag.", [("A", "The <think> tag and the </think> tag.")]),
        ("<think>A</think>\n```\n<think>\nx\n</think>\n```", [("A", "```\n<think>\nx\n</think>\n```")]),
        ("<think></think>4", [("", "4")]),
        ("<think>\n\n</think>\n\n4", [("\n\n", "4")]),
        ("<think>", [("", "")]),
        ("</think>", [("", "")]),
        ("</think>4", [("", "4")]),
    ],
)
def test_delimiters_as_text(text, expected):
    assert parts(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "It is 4.", "Use the <think> tag to open.", 'The string "</think>" closes it.', "a < b, think > c", "<|end|>"],
)
def test_no_reasoning(text):
    assert find(text) == []


@pytest.mark.parametrize("header", ["<｜Assistant｜>", "<|im_start|>assistant\n", "[/INST]"])
def test_prompt_of_a_chat_template_is_not_reasoning(header):
    assert parts(f"What is 2+2?{header}Okay.</think>4") == [("Okay.", "4")]
    assert parts(f"What is 2+2?{header}<think>Okay.") == [("Okay.", "")]


def test_speaker_label_before_the_opening():
    text = "User: What is 2+2? Assistant: <think>Okay.</think> <answer>4</answer>"
    (thought,) = find(text)
    assert text[: thought.opens] == "User: What is 2+2? Assistant: "
    assert parts(text) == [("Okay.", "<answer>4</answer>")]
    assert parts("User: 2+2? Assistant: <think>Okay.") == [("Okay.", "")]


@pytest.mark.parametrize("reasoning", ["Two.", " Two.", "\ntwo.", "2", ""])
@pytest.mark.parametrize("before", ["User: q ", "User: q", "Use `<think>` for q "])
def test_an_opening_behind_words_wins_over_the_start_of_the_text(before, reasoning):
    text = f"{before}<think>{reasoning}</think>4"
    (thought,) = find(text)
    assert (text[: thought.opens], text[thought.start : thought.end]) == (before, reasoning)


@pytest.mark.parametrize("answer", ["a", "so 4", "(4)", "**4**", "$4$", "\\boxed{4}", "è"])
@pytest.mark.parametrize("first", ["A</think>", "<think>A</think>", "</think>"])
def test_second_block_attached_to_the_answer(first, answer):
    assert parts(f"{first}{answer}<think>B</think>b")[1:] == [("B", "b")]


@pytest.mark.parametrize("text", ["<THINK>A</THINK>4", "A</Think>4", "[think]A[/think]4", "<|Begin_Of_Thought|>A"])
def test_other_capitals(text):
    assert find(text) == []
    assert parts(in_any_case(text))[0][0] == "A"


@pytest.mark.parametrize("text", ["", "a < b > c", "[1]", "Think>"])
def test_text_without_delimiters_in_any_case(text):
    assert in_any_case(text) == ""


PIECES = st.sampled_from(
    [s for d in DELIMITERS for s in (d.opening, *d.closings, *(d.answer or ()))]
    + ["a", " ", "\n", "`", '"', ".", ":", "```", "Okay, so", "<", "think>", "答"]
)


@given(st.lists(PIECES, max_size=14).map("".join))
def test_spans_are_ordered_and_inside_the_text(text):
    position = 0
    for thought in find(text):
        assert position <= thought.opens <= thought.start <= thought.end <= thought.answer_start <= thought.answer_end
        position = thought.answer_end
    assert position <= len(text)


@given(st.text(alphabet="ab .\n", max_size=30), st.text(alphabet="ab .\n", max_size=30))
def test_any_reasoning_and_answer_come_back(reasoning, answer):
    assert parts(f"<think>{reasoning}</think>{answer}") == [(reasoning, answer.lstrip())]
