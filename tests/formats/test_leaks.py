"""What betrays an edit beside the reasoning, and what each policy makes of it."""

import json

import pyarrow.parquet as pq
import pytest

from antidistill.errors import RowError, UsageError
from antidistill.formats import locate
from antidistill.formats.leaks import Leaks, check, leaks, settle

R = "".join(f"Step {n}: add {n} to the sum and get {n * (n + 1) // 2}.\n" for n in range(1, 12))
PLAIN = {"id": 1, "question": "Sum to 11?", "reasoning": R, "answer": "66"}


def named(row):
    return [(".".join(map(str, leak.path)), leak.kind) for leak in leaks(row, locate(row))]


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("num_tokens", 812, "token count"),
        ("num_tokens", "5", "token count"),
        ("Reasoning Tokens", "1,024", "token count"),
        ("Input IDs", [1, 2], "token ids"),
        ("reasoning_tokens", 640, "token count"),
        ("thoughtsTokenCount", 640, "token count"),
        ("eval_count", 640, "token count"),
        ("response_length", 4000, "length"),
        ("word_count", 4000, "length"),
        ("token_ids", [1, 2, 3], "token ids"),
        ("input_ids", [[1, 2], [3]], "token ids"),
        ("logprobs", [{"token": "Wait", "logprob": -0.5}], "log probabilities"),
        ("token_logprobs", [-0.5, -0.25], "log probabilities"),
        ("logprobs", {"content": [{"token": "Wait"}]}, "log probabilities"),
        ("perplexity", 3.5, "score of the text"),
        ("text_embedding", [0.5, 0.25], "embedding"),
        ("md5", "9e107d9d372bb6826bd81d3542a419d6", "hash"),
        ("encrypted_content", "gAAAA", "encrypted reasoning"),
        ("thought_signature", "EqQB", "signature"),
    ],
)
def test_by_name(column, value, kind):
    assert named({**PLAIN, column: value}) == [(column, kind)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("prompt_tokens", 9),
        ("max_tokens", 4096),
        ("num_tokens", None),
        ("num_tokens", 0),
        ("length", "long"),
        ("finish_reason", "length"),
        ("logprobs", None),
        ("logprobs", {"content": None}),
        ("correctness_count", 2),
        ("auth_token", "x"),
        ("prompt_hash", "9e10"),
        ("system_fingerprint", "fp_1"),
        ("has_hash", True),
    ],
)
def test_names_that_betray_nothing(column, value):
    assert named({**PLAIN, column: value}) == []


def test_usage_of_a_stored_response():
    row = {
        "choices": [
            {
                "message": {"role": "assistant", "content": "66", "reasoning_content": R},
                "logprobs": {"content": [{"token": "Step", "logprob": -0.5}]},
            }
        ],
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 812,
            "completion_tokens_details": {"reasoning_tokens": 640, "audio_tokens": 0},
        },
    }
    assert named(row) == [
        ("choices.0.logprobs", "log probabilities"),
        ("usage.completion_tokens", "token count"),
        ("usage.completion_tokens_details.reasoning_tokens", "token count"),
    ]


def test_signed_and_hidden_blocks():
    content = [
        {"type": "thinking", "thinking": R, "signature": "EqQB"},
        {"type": "redacted_thinking", "data": "EmwK"},
        {"type": "text", "text": "66", "signature": "of the text"},
    ]
    row = {"messages": [{"role": "assistant", "content": content}]}
    assert named(row) == [
        ("messages.0.content.0.signature", "signature"),
        ("messages.0.content.1.data", "encrypted reasoning"),
    ]


@pytest.mark.parametrize(
    ("column", "value", "leak"),
    [
        ("preview", R[:250] + "…", ("preview", "part of the reasoning")),
        ("log", {"first": f"> {R[:300]}"}, ("log.first", "part of the reasoning")),
        ("steps", R.splitlines(), ("steps", "pieces of the reasoning")),
        ("tokens", R.split(" "), ("tokens", "pieces of the reasoning")),
        (
            "trace",
            [{"n": 1, "spans": [{"t": line} for line in R.splitlines()]}],
            ("trace.0.spans", "pieces of the reasoning"),
        ),
        ("raw", json.dumps({"reasoning": R}), ("raw", "escaped copy")),
    ],
)
def test_by_content(column, value, leak):
    assert named({**PLAIN, column: value}) == [leak]


def test_escaped_copy_beyond_ascii():
    row = {**PLAIN, "reasoning": R + "Also 66 ≠ 67."}
    for ascii_only in (True, False):
        raw = json.dumps({"r": row["reasoning"]}, ensure_ascii=ascii_only)
        assert named({**row, "raw": raw}) == [("raw", "escaped copy")]


def test_pieces_beside_the_whole():
    details = [{"type": "reasoning.text", "text": line} for line in R.splitlines(keepends=True)]
    row = {"messages": [{"role": "assistant", "content": "66", "reasoning": R, "reasoning_details": details}]}
    assert named(row) == [("messages.0.reasoning_details", "pieces of the reasoning")]


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({**PLAIN, "answer": R}, "answer"),
        ({**PLAIN, "answer": f"I thought:\n{R}\n66"}, "answer"),
        ({**PLAIN, "question": f"Go on: {R}"}, "question"),
        ({"response": f"<think>{R}</think>I thought:\n{R}\n66"}, "response"),
    ],
)
def test_answer_or_prompt_that_repeats_the_reasoning(row, path):
    assert named(row) == [(path, "whole reasoning")]


@pytest.mark.parametrize(
    "row",
    [
        PLAIN,
        {**PLAIN, "text": f"Sum to 11?\n{R}\n66"},
        {**PLAIN, "comment": "It says: Step 1: add 1 to the sum", "tags": ["sum", "Step", "add"]},
        {"generations": [f"<think>{R}</think>66", f"<think>{R}So 66.</think>66"]},
        {"messages": [{"role": "user", "content": R[:300]}, {"role": "assistant", "content": f"<think>{R}</think>66"}]},
        {**PLAIN, "reasoning": "So 66.", "steps": ["So 66."]},
    ],
)
def test_no_leak(row):
    assert named(row) == []


@pytest.mark.parametrize("name", ["gsm8k_4models", "illposed_stress", "thought_anchors_math"])
def test_real_rows_leak_nothing(shared, name):
    for row in pq.read_table(shared / f"traces_{name}.parquet").to_pylist():
        assert named(row) == []


ROW = {**PLAIN, "text": f"Q {R} 66", "num_tokens": 5, "preview": R[:250], "usage": {"total_tokens": 9}}


def settled(row, policy):
    return settle(row, locate(row), policy)


def test_guard_refuses_and_names_all():
    with pytest.raises(
        RowError, match=r"num_tokens \(token count\), usage.total_tokens \(token count\), preview .*--leaks drop"
    ):
        settled(ROW, Leaks.GUARD)
    assert settled({**PLAIN, "text": R}, Leaks.GUARD) == []


def test_drop_removes_what_cannot_be_guarded():
    assert settled(ROW, Leaks.DROP) == [("num_tokens",), ("usage", "total_tokens"), ("preview",)]


@pytest.mark.parametrize("row", [{**ROW, "reasoning": None}, {**ROW, "reasoning": " "}])
def test_rows_without_reasoning_have_nothing_to_betray(row):
    row = {**row, "text": "Q 66", "preview": None}
    assert settled(row, Leaks.GUARD) == settled(row, Leaks.REFUSE) == []
    assert settled(row, Leaks.DROP) == [("num_tokens",), ("usage", "total_tokens")]


def test_drop_never_removes_an_answer():
    with pytest.raises(RowError, match=r"answer \(whole reasoning\); .*--leaks keep leaves it in"):
        settled({**PLAIN, "answer": f"{R} 66", "num_tokens": 5}, Leaks.DROP)


def test_keep_leaves_all():
    assert settled(ROW, Leaks.KEEP) == []
    assert settled({"response": "<THINK>So.</THINK>4"}, Leaks.KEEP) == []


UNREAD = {"question": "Sum?", "response": "66", "reasoning_steps": [R], "trace": f"<think>{R}</think>66"}


@pytest.mark.parametrize("policy", [Leaks.GUARD, Leaks.REFUSE])
def test_reasoning_that_is_not_read_is_refused_without_any_that_is(policy):
    with pytest.raises(
        RowError, match=r"reasoning that would not be guarded: reasoning_steps .*, trace .*--leaks drop"
    ):
        settled(UNREAD, policy)
    with pytest.raises(RowError, match=r"name a column of text reasoning"):
        settled({**UNREAD, "num_tokens": 5}, policy)


def test_reasoning_that_is_not_read_is_dropped_outside_of_answers():
    assert settled(UNREAD, Leaks.DROP) == [("reasoning_steps",), ("trace",)]
    for name in ("answer", "Response"):
        with pytest.raises(RowError, match=rf"{name} \(reasoning that is not read\); .*--leaks keep leaves it in"):
            settled({"question": "Sum?", "output": "66", name: f"<THINK>{R}</THINK>66"}, Leaks.DROP)


def test_pieces_and_unread_reasoning_are_named_once():
    assert named({**PLAIN, "reasoning_steps": R.splitlines()}) == [("reasoning_steps", "pieces of the reasoning")]


def test_refuse_takes_no_copies():
    with pytest.raises(RowError, match=r"text \(copy\); --leaks guard, drop and keep guard them") as error:
        settled({**PLAIN, "text": R}, Leaks.REFUSE)
    assert "removes" not in str(error.value)
    with pytest.raises(RowError, match=r"num_tokens .*text \(copy\); --leaks drop .* in, and both guard copies"):
        settled({**PLAIN, "text": R, "num_tokens": 5}, Leaks.REFUSE)
    assert settled(PLAIN, Leaks.REFUSE) == []


def test_check_stops_before_anything_is_written():
    check([PLAIN, {"of": "no dialect"}], Leaks.GUARD)
    check([PLAIN, ROW], Leaks.KEEP)
    with pytest.raises(UsageError, match="would betray the edit"):
        check([PLAIN, ROW], Leaks.GUARD)
