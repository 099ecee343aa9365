"""The laws of streams in every dialect: reasoning as in a file, answers as they came, for every way to cut the bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serve.replay import CASES, context, events, guarded, payloads, read, run, shuffled
from tests.texts import reasonings

from antidistill.serve.demo.engine import bundled_traces
from antidistill.trace import Trace

NO_TAGS = st.text(max_size=80).filter(lambda text: not set(text) & set("<>[]◁▷"))
plain_reasonings = reasonings.filter(lambda text: not set(text) & set("<>[]◁▷") and text.strip())


@pytest.mark.parametrize(("route", "style"), CASES)
@settings(max_examples=60, deadline=None)
@given(reasoning=plain_reasonings, answer=NO_TAGS, seed=st.integers(0, 1 << 30))
def test_reasoning_is_that_of_a_file_and_the_answer_stays(route, style, reasoning, answer, seed):
    trace = Trace("1", "p", reasoning, answer)
    own = context("p")
    data = b"".join(events(route, style, trace, lambda text: [text[i : i + 3] for i in range(0, len(text), 3)]))
    said = read(route, style, run(route, own, shuffled(data, seed)))
    assert set(said.reasoning) <= {guarded(trace, own), ""}
    assert "".join(said.reasoning) or not guarded(trace, own)
    assert said.answer == answer


@pytest.mark.parametrize(
    "method", ["none", "traceguard", "branches", "exchange", "random-sentences", "marker-words", "steps"]
)
@pytest.mark.parametrize(("route", "style"), CASES)
def test_every_method_in_every_dialect(route, style, method):
    for trace in bundled_traces()[:3]:
        own = context(trace.prompt, method)
        data = b"".join(events(route, style, trace))
        said = read(route, style, run(route, own, shuffled(data, 7)))
        assert set(said.reasoning) == {guarded(trace, own)}
        assert said.answer == trace.answer


@pytest.mark.parametrize(("route", "style"), CASES)
def test_without_edits_the_text_of_every_event_leaves_as_it_came(route, style):
    trace = bundled_traces()[0]
    data = events(route, style, trace)
    out = run(route, context(trace.prompt, "none"), data)
    if style == "unopened":  # held, so pieces of the reasoning leave together
        return
    assert out == b"".join(data)


@pytest.mark.parametrize(("route", "style"), CASES)
def test_answer_events_leave_byte_for_byte(route, style):
    trace = Trace("1", "p", "Wait, let me see. So it is 4.", 'Résumé "é" \\u00e9 \U0001f600 4')
    data = [one.replace("é".encode(), b"\\u00e9") for one in events(route, style, trace)]
    answers = [one for one in data if b"\\u00e9" in one and b"thinking" not in one and b"think>" not in one]
    out = run(route, context(), data)
    for one in answers:
        if b"sequence_number" not in one:
            assert one in out


@pytest.mark.parametrize(("route", "style"), CASES)
def test_held_text_leaves_before_the_first_answer_byte(route, style):
    trace = Trace("1", "p", "So it is 4. Wai", "Four.")
    out = run(route, context(), events(route, style, trace))
    assert 0 < out.find(b"Wai") < out.find(b"Four.")


@pytest.mark.parametrize(("route", "style"), CASES)
@pytest.mark.parametrize("newline", [b"\r\n", b"\r"])
def test_all_line_ends(route, style, newline):
    if route == "/api/chat":
        pytest.skip("JSON lines end with LF")
    trace = bundled_traces()[1]
    own = context(trace.prompt)
    data = b"".join(events(route, style, trace)).replace(b"\n", newline)
    for seed in range(5):
        out = run(route, own, shuffled(data, seed, 40))
        said = read(route, style, out.replace(newline, b"\n"))
        assert set(said.reasoning) == {guarded(trace, own)}
        assert said.answer == trace.answer


@pytest.mark.parametrize(("route", "style"), CASES)
def test_comments_pass_and_long_ones_do_not(route, style):
    if route == "/api/chat":
        pytest.skip("JSON lines have no comments")
    trace = bundled_traces()[1]
    data = events(route, style, trace)
    data[3:3] = [
        b": OPENROUTER PROCESSING\n\n",
        b":\n\n",
        b": " + trace.reasoning[:200].replace("\n", " ").encode() + b"\n\n",
    ]
    out = run(route, context(trace.prompt), data)
    assert b": OPENROUTER PROCESSING\n\n:\n\n" in out
    assert trace.reasoning[:200].replace("\n", " ").encode() not in out


@pytest.mark.parametrize(("route", "style"), CASES)
def test_no_event_is_empty_where_text_was_cut(route, style):
    trace = bundled_traces()[0]
    out = run(route, context(trace.prompt), events(route, style, trace))
    before = run(route, context(trace.prompt, "none"), events(route, style, trace))

    def empty(data):
        return [o for o in payloads(data) if '"delta": ""' in str(o) or "'thinking': ''" in str(o.get("delta", ""))]

    assert len(empty(out)) == len(empty(before))


@pytest.mark.parametrize("method", ["traceguard", "exchange", "marker-words"])
def test_text_of_a_reasoning_item_that_streams_as_that_of_an_answer_is_reasoning(method):
    """LiteLLM streams it so."""
    route, style = next(case for case in CASES if case[0] == "/v1/responses" and case[1] != "summary")
    for trace in bundled_traces()[:3]:
        own = context(trace.prompt, method)
        data = b"".join(events(route, style, trace)).replace(b"reasoning_text", b"output_text")
        told = payloads(run(route, own, shuffled(data, 3)))
        item = next(one["item"]["id"] for one in told if one["type"] == "response.output_item.added")
        deltas = [one["delta"] for one in told if one["type"].endswith(".delta") and one["item_id"] == item]
        assert "".join(deltas) == guarded(trace, own)
        (final,) = [one["response"]["output"] for one in told if one["type"] == "response.completed"]
        assert [part["text"] for part in final[0]["content"]] == [guarded(trace, own)]
        assert final[1]["content"][0]["text"] == trace.answer
        other = [one["delta"] for one in told if one["type"].endswith(".delta") and one["item_id"] != item]
        assert "".join(other) == trace.answer
