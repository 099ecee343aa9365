"""Bodies that do not stream, in every dialect."""

import json

import pytest
from tests.serve.replay import CASES, context, guarded

from antidistill.serve.demo import responses
from antidistill.serve.demo.engine import bundled_traces
from antidistill.serve.demo.engine import whole as engine_whole
from antidistill.serve.demo.scripts import HARMONY
from antidistill.serve.dialects.table import DIALECTS


def body(route, style, trace):
    if style == "summary":
        return responses.whole(trace.reasoning, trace.answer, summary=True)
    return engine_whole(route, trace, style)


def texts(route, style, made):
    """All reasoning, and the answer."""
    if route == "/v1/messages":
        return [made["content"][0]["thinking"]], made["content"][1]["text"]
    if route == "/v1/responses":
        item, message = made["output"]
        return [part["text"] for part in item.get("content") or item["summary"]], message["content"][0]["text"]
    message = made["message"] if route == "/api/chat" else made["choices"][0]["message"]
    content = message.pop("content")
    before, after = {"tags": ("<think>", "</think>"), "unopened": ("", "</think>"), "harmony": HARMONY}.get(
        style, ("", "")
    )
    if after:
        inside, _, answer = content.removeprefix(before).partition(after)
        return [inside], answer
    names = ("reasoning", "reasoning_content", "thinking")
    found = [message[name] for name in names if message.get(name)]
    return found + [item["text"] for item in message.get("reasoning_details", ())], content


@pytest.mark.parametrize(("route", "style"), CASES)
@pytest.mark.parametrize("method", ["traceguard", "exchange"])
def test_reasoning_is_that_of_a_file_and_the_answer_stays(route, style, method):
    for trace in bundled_traces():
        own = context(trace.prompt, method)
        made = DIALECTS[route].whole(own, json.dumps(body(route, style, trace)).encode())
        for remember in made.remembers:
            assert (remember.original, remember.guarded) == (trace.reasoning, guarded(trace, own))
            assert remember.render("") == b""
        assert made.remembers
        reasoning, answer = texts(route, style, json.loads(made.render()))
        assert set(reasoning) == {guarded(trace, own)}
        assert answer == trace.answer


@pytest.mark.parametrize(("route", "style"), CASES)
def test_nothing_changes_where_nothing_is_edited(route, style):
    data = json.dumps(body(route, style, bundled_traces()[0]), ensure_ascii=True, indent=1).encode()
    assert DIALECTS[route].whole(context(method="none"), data).render() == data


def test_several_choices_are_guarded_each_for_itself():
    one, two = bundled_traces()[:2]
    first, second = (engine_whole("/v1/chat/completions", trace, "reasoning")["choices"][0] for trace in (one, two))
    made = {"id": "1", "choices": [first, {**second, "index": 1}]}
    own = context("p")
    out = json.loads(DIALECTS["/v1/chat/completions"].whole(own, json.dumps(made).encode()).render())
    for choice, trace in zip(out["choices"], (one, two), strict=True):
        assert choice["message"]["reasoning"] == guarded(trace.__class__("", "p", trace.reasoning, ""), own)
        assert choice["message"]["content"] == trace.answer


def test_answer_text_keeps_its_bytes_beside_edited_reasoning():
    data = b'{"choices":[{"index":0,"message":{"content":"caf\\u00e9 \\/ 1.0","reasoning":"Wait, no. So 4. It is."}}]}'
    out = DIALECTS["/v1/chat/completions"].whole(context(k=1), data).render()
    assert b'"content":"caf\\u00e9 \\/ 1.0"' in out
    assert b"Wait" not in out


def test_tokens_go_where_the_dialect_has_room():
    trace = bundled_traces()[0]
    for route, where in (
        ("/v1/chat/completions", lambda made: made["choices"][0]["message"]["reasoning_details"][-1]["data"]),
        ("/v1/messages", lambda made: made["content"][0]["signature"]),
        ("/v1/responses", lambda made: made["output"][0]["encrypted_content"]),
    ):
        made = DIALECTS[route].whole(context(), json.dumps(body(route, "reasoning", trace)).encode())
        for remember in made.remembers:
            remember.render("TOKEN")
        assert where(json.loads(made.render())) == "TOKEN"


@pytest.mark.parametrize("kind", ["output_text", "text", "reasoning_text"])
def test_any_text_in_a_reasoning_item_is_reasoning(kind):
    """LiteLLM calls the text of a reasoning item "output_text"."""
    trace = next(trace for trace in bundled_traces() if guarded(trace, context(trace.prompt)) != trace.reasoning)
    own = context(trace.prompt)
    made = responses.whole(trace.reasoning, trace.answer)
    made["output"][0]["content"][0]["type"] = kind
    item, message = json.loads(DIALECTS["/v1/responses"].whole(own, json.dumps(made).encode()).render())["output"]
    assert item["content"] == [{"type": kind, "text": guarded(trace, own)}]
    assert message["content"][0]["text"] == trace.answer
