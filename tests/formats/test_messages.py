"""What a chat asks and answers: the prompt of a turn, the same for a file and for a request."""

from antidistill.formats import locate
from antidistill.formats.messages import prompt_of, visible_text

ASKED = "What is 2+2?"
R = "Okay, two and two.\nWait, let me check that.\n\nFour it is."
R2 = "Alternatively, count on the fingers: one, two, three, four."
USER = {"role": "user", "content": ASKED}


def test_one_user_message_is_its_text():
    for content in (" exactly\n\nthis ", [{"type": "text", "text": " exactly\n\nthis "}]):
        assert (
            prompt_of([{"role": "system", "content": "Be brief."}, {"role": "user", "content": content}])
            == " exactly\n\nthis "
        )
    assert prompt_of([]) == ""


def test_blocks_without_text_are_passed_over():
    content = [{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "What is it?"}]
    assert prompt_of([{"role": "user", "content": content}, {"role": "assistant", "content": None}]) == "What is it?"


def test_visible_text_of_blocks():
    blocks = [
        {"type": "thinking", "thinking": R},
        {"type": "text", "text": f"<think>{R}</think>4"},
        "and more",
        {"text": R, "thought": True},
    ]
    assert visible_text(blocks) == "4\nand more"


def test_every_turn_is_a_trace_with_what_was_said_before():
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": " Add 2 and 2. "},
        {"role": "assistant", "content": f"<think>{R}</think>\n\n4\n"},
        {"role": "user", "content": "And 3?"},
        {"role": "assistant", "content": None, "reasoning": R2, "tool_calls": [{"id": "t"}]},
        {"role": "tool", "content": "7"},
        {"role": "assistant", "content": "7", "reasoning_content": "Trivial. Seven."},
    ]
    prompts = [found.trace.prompt for found in locate({"messages": messages})]
    assert prompts == [
        " Add 2 and 2. ",
        " Add 2 and 2. \n\n4\n\nAnd 3?",
        " Add 2 and 2. \n\n4\n\nAnd 3?\n\n7",
    ]


def test_same_prompt_whether_the_reasoning_was_sent_back_or_not():
    last = [{"role": "user", "content": "And 3?"}, {"role": "assistant", "content": "7", "reasoning": R2}]
    sent = [USER, {"role": "assistant", "content": f"<think>\n{R}\n</think>\n\nIt is 4."}, *last]
    stripped = [USER, {"role": "assistant", "content": "It is 4."}, *last]
    fields = [USER, {"role": "assistant", "content": "It is 4.", "reasoning_content": R}, *last]
    prompts = {locate({"messages": messages})[-1].trace.prompt for messages in (sent, stripped, fields)}
    assert len(prompts) == 1
